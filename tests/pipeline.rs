//! The example `pipeline`: its stages are killed from outside as well, at any moment, and its sums are those of the files.

mod killing;
mod repo;

use killing::{Random, Watchdog, descendants, kill, poll_for, rounds, spin};
use repo::examples::example;
use std::{
    fmt::Write as _,
    process::{Child, Stdio},
    time::Duration,
};

/// Files of many lines, and what the program is to say of all of them.
fn inputs(random: &mut Random) -> (tempfile::TempDir, Vec<String>, String) {
    let directory = tempfile::tempdir().expect("a directory");
    let (mut lines, mut words, mut longest) = (0, 0, 0);
    let files = (0..3).map(|number| {
        let mut text = String::new();
        for line in 0..6_000 + random.below(11) {
            let mut one = format!("{line}");
            let more = random.below(9);
            (0..more).for_each(|word| write!(one, " word{word}").expect("room"));
            (lines, words, longest) = (lines + 1, words + 1 + more, longest.max(one.len()));
            text += &one;
            text.push('\n');
        }
        let path = directory.path().join(format!("{number}"));
        std::fs::write(&path, text).expect("room");
        path.to_str().expect("text").to_owned()
    });
    let files = files.collect();
    let said = format!("{lines} lines, {words} words, the longest line has {longest} bytes");
    (directory, files, said)
}

/// Kills a stage of the program, if it has one at this moment.
fn kill_a_stage(program: &Child, random: &mut Random) -> bool {
    let stages: Vec<i32> = descendants(program.id().cast_signed())
        .into_iter()
        .filter(|one| one.name == "reader" || one.name == "parser")
        .map(|one| one.pid)
        .collect();
    if stages.is_empty() {
        return false;
    }
    let index = usize::try_from(random.below(stages.len() as u64)).expect("few");
    kill(stages[index]);
    true
}

#[test]
fn nothing_is_lost_when_stages_are_killed_at_any_moment() {
    const KILLS: usize = 12;
    let watchdog = Watchdog::new("nothing_is_lost_when_stages_are_killed_at_any_moment");
    let mut random = Random::new();
    let (mut replaced, mut killed) = (0, 0);
    for round in 0..rounds(4) {
        watchdog.step(format!("round {round}, seed {}", random.seed));
        let (_directory, files, expected) = inputs(&mut random);
        let mut program = example("pipeline")
            .args(&files)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        for _ in 0..KILLS {
            spin(Duration::from_micros(random.below(20_000)));
            let ended = || program.try_wait().expect("it is ours").is_some();
            if poll_for(Duration::ZERO, ended) {
                break;
            }
            killed += usize::from(kill_a_stage(&program, &mut random));
        }
        let output = program.wait_with_output().expect("it is ours");
        let complaints = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {complaints}", output.status);
        assert_eq!(complaints, "", "no bar where nobody watches");
        let said = String::from_utf8(output.stdout).expect("text");
        let said: Vec<&str> = said.lines().collect();
        assert_eq!(said[0], expected, "seed {}", random.seed);
        let count = said[1].split(' ').next().expect("a number");
        replaced += count.parse::<usize>().expect("a number");
    }
    println!("{killed} processes were killed from outside, {replaced} were replaced in all");
    assert!(killed > rounds(4), "the program was always faster");
    // Two in each round are killed by the program itself.
    assert!(replaced > 2 * rounds(4));
}
