"""Write the files that benchmarks read, fast and the same each time.

Belongs here: sizes, the two variants that are measured, templates. Does not belong here: realism
(`agentledger.sample` writes what looks like life; this writes volume), timing.

`python -m benchmarks.generate --size large --variant design --cache DIR` writes them alone; files
that are there already are used again.
"""

import argparse
import json
import multiprocessing
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

LAYOUT = 1
"""Grows when the templates change, so that cached files of the old kind are written anew."""

SEED = 20260801
PROCESSES = 2
DAYS = 200
FIRST_DAY = date(2026, 1, 12)
SECONDS_PER_DAY = 86_400
SKILLS = tuple(f"skill-{number:02d}" for number in range(30))
DRAWS = 4096
"""Log-normal durations drawn once per file and used in turns: drawing is the slow part."""

VARIANTS = ("design", "invocations")
DEFAULT_CACHE = Path(__file__).resolve().parent.parent / ".run" / "bench"


@dataclass(frozen=True, slots=True)
class Size:
    """How much is generated."""

    name: str
    projects: int
    records_each: int

    @property
    def records(self) -> int:
        """Records in all."""
        return self.projects * self.records_each


SIZES = {
    size.name: size
    for size in (
        Size("tiny", 3, 200),  # for trying the benchmark itself
        Size("small", 10, 1_000),
        Size("medium", 50, 10_000),
        Size("large", 100, 100_000),
    )
}


def data_files(cache: Path, size: Size, variant: str, seed: int = SEED) -> list[Path]:
    """Write the files of a benchmark, or find them in the cache.

    Args:
        cache: Folder that outlives the benchmark.
        size: How much.
        variant: `design` (V-D) or `invocations` (V1).
        seed: The same seed writes the same bytes.

    Returns:
        One file per project, in order.
    """
    folder = cache / f"{variant}-{size.name}"
    files = [
        folder / f"project-{number:03d}" / ".session-buddy" / "skill_metrics.json"
        for number in range(size.projects)
    ]
    facts = {"layout": LAYOUT, "seed": seed, "records_each": size.records_each}
    stamp = folder / "complete.json"
    if stamp.exists() and json.loads(stamp.read_text()) == facts and all(map(Path.exists, files)):
        return files
    stamp.unlink(missing_ok=True)
    tasks = [(file, variant, size.records_each, seed + number) for number, file in enumerate(files)]
    with multiprocessing.Pool(PROCESSES) as pool:
        pool.starmap(write_file, tasks, chunksize=1)
    stamp.write_text(json.dumps(facts))
    return files


def write_file(file: Path, variant: str, records: int, seed: int) -> None:
    """Write one project's document, compact."""
    file.parent.mkdir(parents=True, exist_ok=True)
    texts = record_texts(variant, records, seed)
    if variant == "design":
        # Round robin: record i belongs to skill i modulo their number.
        lists = ",".join(
            f'"{name}":[{",".join(texts[number :: len(SKILLS)])}]'
            for number, name in enumerate(SKILLS)
        )
        document = f'{{"version":"1.0","generated_at":"2026-08-01T00:00:00Z","skills":{{{lists}}}}}'
    else:
        document = (
            f'{{"invocations":[{",".join(texts)}],"skills":{{}},'
            '"last_updated":"2026-08-01T00:00:00.000100"}'
        )
    file.write_text(document, encoding="utf-8")


def record_texts(variant: str, records: int, seed: int) -> list[str]:
    """JSON texts of records; record i is of skill i modulo the number of skills."""
    rng = random.Random(seed)
    days = [(FIRST_DAY + timedelta(days=number)).isoformat() for number in range(DAYS + 2)]
    clock = [f"{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}" for s in range(SECONDS_PER_DAY)]
    durations = [round(rng.lognormvariate(9.0, 1.0)) for _ in range(DRAWS)]
    write = _design_text if variant == "design" else _invocation_text
    sessions = max(1, records // 10)
    texts = []
    for number in range(records):
        bits = rng.getrandbits(96)
        second = bits % (DAYS * SECONDS_PER_DAY)
        micro = (bits >> 32) % 1_000_000
        day, of_day = divmod(second, SECONDS_PER_DAY)
        milliseconds = durations[(bits >> 56) % DRAWS]
        ended_day, ended_of_day = divmod(second + milliseconds // 1000, SECONDS_PER_DAY)
        texts.append(
            write(
                number,
                f"{days[day]}T{clock[of_day]}.{micro:06d}",
                f"{days[min(ended_day, DAYS + 1)]}T{clock[ended_of_day]}.{micro:06d}",
                milliseconds,
                f"s-{seed}-{(bits >> 40) % sessions}",
                (bits >> 70) % 10,
            )
        )
    return texts


def _design_text(
    number: int, at: str, ended: str, milliseconds: int, session: str, dice: int
) -> str:
    return (
        f'{{"invoked_at":"{at}Z","completed_at":"{ended}Z","duration_ms":{milliseconds}.5,'
        f'"success":{"true" if dice else "false"},"followup_actions":{number % 3},'
        f'"session_id":"{session}","metadata":{{"workflow":"feature-dev","agent":"python-pro"}}}}'
    )


def _invocation_text(
    number: int, at: str, _ended: str, milliseconds: int, session: str, dice: int
) -> str:
    return (
        f'{{"skill_name":"{SKILLS[number % len(SKILLS)]}","invoked_at":"{at}",'
        f'"session_id":"{session}","workflow_path":"comprehensive",'
        f'"completed":{"true" if dice else "false"},"duration_seconds":{milliseconds / 1000},'
        f'"user_query":"please look at item {number} once more",'
        f'"alternatives_considered":[{chr(34) + "skill-01" + chr(34) if number % 2 else ""}],'
        f'"selection_rank":1,'
        f'"follow_up_actions":[{chr(34) + "git commit" + chr(34) if number % 3 == 0 else ""}],'
        f'"error_type":{"null" if dice else chr(34) + "timeout" + chr(34)}}}'
    )


def add_records(file: Path, variant: str, records: int, seed: int) -> None:
    """Rewrite a document with new records at its end, as a writer does: whole and swapped in."""
    text = file.read_text(encoding="utf-8")
    added = "," + ",".join(record_texts(variant, records, seed))
    # The end of the last list of records: of the last skill, or of `invocations`.
    position = text.rindex("]}}") if variant == "design" else text.rindex('],"skills"')
    fresh = file.with_suffix(".new")
    fresh.write_text(text[:position] + added + text[position:], encoding="utf-8")
    fresh.replace(file)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the files of one size and variant."""
    parser = argparse.ArgumentParser(description="Write benchmark data.")
    parser.add_argument("--size", choices=SIZES, default="small")
    parser.add_argument("--variant", choices=VARIANTS, default="design")
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE)
    options = parser.parse_args(arguments)
    files = data_files(options.cache, SIZES[options.size], options.variant)
    total = sum(file.stat().st_size for file in files)
    print(f"{len(files)} files, {total / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
