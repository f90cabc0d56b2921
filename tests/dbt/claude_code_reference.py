"""The numbers of the shared reference page for Claude Code.

Belongs here: the numbers. They were computed independently of this project, straight from the
files. Does not belong here: how the models are asked for them (`test_claude_code_numbers.py`).
"""

# responses, input, output, cache write, cache read
TOKENS = {
    "claude-code": (1128, 25789, 97417, 4569019, 85131039),
    "projects": (981, 24925, 96897, 4185708, 72402018),
    "snapshots-of-one-session": (32, 268, 90, 93344, 1654279),
    "parts-of-one-session": (115, 596, 430, 289967, 11074742),
}
NAIVE = {
    "claude-code": (57302, 101843, 11578990, 185723405),
    "projects": (53891, 100383, 10464824, 150161105),
    "snapshots-of-one-session": (2066, 749, 459997, 12055359),
    "parts-of-one-session": (1345, 711, 654169, 23506941),
}
# records, uuids, sessions, tool calls, results, errors, Skill calls, of these ok and failed
COUNTS = {
    "claude-code": (6029, 5417, 26, 1199, 1197, 69, 19, 14, 5),
    "projects": (4952, 4757, 24, 1063, 1060, 66, 19, 14, 5),
    "snapshots-of-one-session": (575, 168, 1, 28, 28, 1, 0, 0, 0),
    "parts-of-one-session": (502, 492, 1, 108, 109, 2, 0, 0, 0),
}
PER_MODEL = {
    "<synthetic>": (2, 0, 0, 0, 0),
    "claude-3-sonnet-20240229": (9, 558, 830, 0, 0),
    "claude-haiku-4-5-20251001": (16, 1349, 22145, 275238, 1025640),
    "claude-opus-4-5-20251101": (747, 22145, 31431, 3124856, 60160115),
    "claude-opus-4-6": (226, 251, 23303, 701409, 17818542),
    "claude-sonnet-4": (6, 883, 328, 0, 0),
    "claude-sonnet-4-20250514": (90, 293, 19313, 206624, 4302385),
    "claude-sonnet-4-5-20250929": (32, 310, 67, 260892, 1824357),
}
PER_SKILL = {
    "commit": (3, 0, 3), "entire-engineering:workflows:plan_review": (1, 0, 1),
    "entire-engineering:workflows:review": (1, 1, 0),
    "entire-engineering:workflows:work": (1, 1, 0), "github-pr-review": (2, 2, 0),
    "model": (1, 0, 1), "plan_review": (1, 1, 0), "reviewer": (1, 1, 0),
    "superpowers:brainstorming": (1, 1, 0),
    "superpowers:finishing-a-development-branch": (1, 1, 0),
    "superpowers:receiving-code-review": (1, 1, 0),
    "superpowers:requesting-code-review": (1, 1, 0),
    "superpowers:subagent-driven-development": (1, 1, 0),
    "superpowers:systematic-debugging": (1, 1, 0), "superpowers:writing-plans": (1, 1, 0),
    "test-repo": (1, 1, 0),
}  # fmt: skip
ERRORS_BY_TOOL = {"Bash": 43, "Edit": 9, "Skill": 5, "Task": 4, "Read": 3, "Grep": 2,
                  "TaskUpdate": 2, "FailingTool": 1}  # fmt: skip
# The folders that share no record with another: uuids, sessions, responses, input, output, cache
# write, cache read, tool calls, errors, Skill calls.
PER_FOLDER = {
    "-Users-alex-workspace-cli": (763, 3, 138, 1087, 381, 725952, 10895459, 149, 5, 3),
    "-Users-alex-workspace-cli--worktrees-2": (
        992, 2, 190, 603, 3731, 709434, 18224306, 210, 15, 2),
    "-Users-alex-workspace-cli--worktrees-ent-95-test": (
        224, 1, 45, 8381, 142, 99621, 3668664, 46, 3, 1),
    "-Users-alex-workspace-cli--worktrees-soph-fix-session-date-change-bug": (
        401, 1, 76, 2302, 163, 268662, 6258380, 82, 5, 1),
    "-Users-alex-workspace-tmp-cli": (554, 1, 63, 137, 581, 215411, 4040912, 66, 2, 3),
    "-Users-chip-dev-ai-music": (232, 3, 90, 293, 19313, 206624, 4302385, 96, 6, 0),
    "-Users-gtrrz-victor-wks-cli": (250, 2, 75, 9123, 39858, 605980, 7324204, 82, 6, 3),
    "-Users-gtrrz-victor-wks-test-cli-cli": (44, 1, 8, 70, 26, 118843, 329215, 5, 1, 1),
    "-Users-paul-src-entireio-cli": (113, 1, 14, 17, 2075, 19056, 441175, 16, 1, 1),
    "-Users-paul-src-entireio-cli-completion-updater": (
        231, 1, 48, 52, 10187, 101721, 2464914, 62, 4, 1),
    "-Users-paul-src-entireio-completion-stanza-manager": (
        314, 1, 72, 78, 8500, 192250, 6309464, 86, 5, 1),
    "-Users-soph-Work-entire-devenv-cli": (603, 3, 147, 1341, 10782, 922154, 8142940, 156, 12, 2),
}  # fmt: skip
# After each of the five growing snapshots: uuids, responses, input, output, cache write, cache
# read, tool calls, errors.
SNAPSHOTS = (
    (37, 8, 68, 30, 17620, 356227, 7, 0),
    (79, 13, 110, 44, 19204, 613345, 11, 0),
    (102, 18, 152, 55, 20271, 878092, 15, 0),
    (135, 25, 210, 70, 26538, 1276131, 22, 1),
    (168, 32, 268, 90, 93344, 1654279, 28, 1),
)
