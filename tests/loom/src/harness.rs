//! Runs the models and reports on them as a test harness does.

use crate::{
    channel,
    explore::Explorer,
    machine::{self, Sabotage},
    models, points, pool, trace,
};
use core::cell::RefCell;
use std::{
    panic::{self, AssertUnwindSafe},
    process::{Command, ExitCode},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Instant,
};

/// Something to explore.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) name: &'static str,
    pub(crate) run: fn(Explorer),
    /// On which defective machines the model fails, and a part of what is said then.
    pub(crate) notices: &'static [(Sabotage, &'static str)],
}

/// A model on a machine.
#[derive(Clone, Copy)]
struct Test {
    model: &'static Model,
    defect: Option<(Sabotage, &'static str)>,
}

/// Sets how many preemptions are explored.
const PREEMPTIONS: &str = "PSYNC_MODEL_PREEMPTIONS";
const DEFAULT_PREEMPTIONS: usize = 2;
/// The option that has models explored in the process that it is given to.
const ALONE: &str = "--alone";

thread_local! {
    static PANICKED_AT: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs the models that the arguments name a part of, and all if they name none.
pub fn run(arguments: impl Iterator<Item = String>) -> ExitCode {
    let (options, names): (Vec<_>, Vec<_>) = arguments.partition(|word| word.starts_with('-'));
    let has = |option| options.iter().any(|given| given == option);
    let all: Vec<Test> = models::ALL
        .iter()
        .chain(channel::ALL)
        .chain(pool::ALL)
        .copied()
        .flatten()
        .flat_map(tests)
        .collect();
    let is_meant = |test: &Test| {
        let name = test.name();
        let matches =
            |part: &String| if has("--exact") { name == *part } else { name.contains(part) };
        names.is_empty() || names.iter().any(matches)
    };
    let chosen: Vec<Test> = all.iter().copied().filter(is_meant).collect();
    if has("--list") {
        for test in &chosen {
            println!("{}: test", test.name());
        }
        ExitCode::SUCCESS
    } else if has(ALONE) {
        run_here(&chosen)
    } else {
        run_all(&chosen, all.len() - chosen.len())
    }
}

/// In this process.
fn run_here(chosen: &[Test]) -> ExitCode {
    // The coroutines of a model have small stacks, too small for a trace.
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        PANICKED_AT.with_borrow_mut(|at| *at = place);
    }));
    let mut is_well = true;
    for test in chosen {
        let (verdict, report) = test.run(preemptions());
        println!("test {} ... {verdict} ({report})", test.name());
        if verdict != "ok" {
            for line in trace::take() {
                println!("    {line}");
            }
            is_well = false;
        }
    }
    if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// As many at a time as there are processors, and each in a process of its own: the coroutines' stacks come and go so often that
/// threads of one process would spend their time waiting for its memory map.
fn run_all(chosen: &[Test], others: usize) -> ExitCode {
    let began = Instant::now();
    println!("\nrunning {} models, up to {} preemptions", chosen.len(), preemptions());
    let (rest, failed) = (Mutex::new(chosen.iter()), AtomicUsize::new(0));
    let next = || rest.lock().ok()?.next();
    let worker = || {
        while let Some(test) = next() {
            if let Err(why) = test.run_apart() {
                println!("test {} ... FAILED: {why}", test.name());
                failed.fetch_add(1, Ordering::Relaxed);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(worker);
        }
    });
    let failed = failed.into_inner();
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    let passed = chosen.len() - failed;
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "\ntest result: {verdict}. {passed} passed; {failed} failed; 0 ignored; 0 measured; \
         {others} filtered out; finished in {seconds:.2}s\n"
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn preemptions() -> usize {
    std::env::var(PREEMPTIONS).map_or(DEFAULT_PREEMPTIONS, |number| {
        number.parse().unwrap_or_else(|_| panic!("{PREEMPTIONS} is `{number}`, which is no number"))
    })
}

fn tests(model: &'static Model) -> impl Iterator<Item = Test> {
    let defects = model.notices.iter().copied().map(Some);
    core::iter::once(None).chain(defects).map(move |defect| Test { model, defect })
}

impl Test {
    fn name(&self) -> String {
        match self.defect {
            None => self.model.name.to_owned(),
            Some((sabotage, _)) => format!("{} notices {sabotage:?}", self.model.name),
        }
    }

    /// In a process of its own, which reports by itself.
    fn run_apart(&self) -> Result<(), String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut command = Command::new(program);
        let output = command.args([ALONE, "--exact", &self.name()]).output();
        let output = output.map_err(|error| error.to_string())?;
        print!("{}", String::from_utf8_lossy(&output.stdout));
        if output.status.success() { Ok(()) } else { Err(output.status.to_string()) }
    }

    /// The verdict, and what there is to say about it.
    fn run(&self, preemptions: usize) -> (&'static str, String) {
        let explorer = Explorer::new(preemptions, self.defect.map(|defect| defect.0));
        let began = Instant::now();
        let before = machine::counts();
        let result = panic::catch_unwind(AssertUnwindSafe(|| (self.model.run)(explorer)));
        let seconds = began.elapsed().as_secs_f64();
        let counts = machine::counts();
        let executions = counts.executions - before.executions;
        let deaths = counts.deaths - before.deaths;
        let explored = format!("{executions} executions, {deaths} deaths, {seconds:.2} s");
        match (result, self.defect) {
            (Ok(()), None) if executions > 1 => ("ok", explored),
            (Ok(()), None) => ("FAILED", format!("{explored}: it explores nothing")),
            (Ok(()), Some(_)) => ("FAILED", format!("{explored}: it notices nothing")),
            (Err(payload), defect) => {
                let said = describe(&*payload);
                let is_expected = defect.is_some_and(|(_, part)| said.contains(part));
                let verdict = if is_expected { "ok" } else { "FAILED" };
                (verdict, format!("{explored}: {said}"))
            }
        }
    }
}

/// What a panic said, where, and where the threads were.
fn describe(payload: &(dyn core::any::Any + Send)) -> String {
    let said = payload.downcast_ref::<&str>().map(ToString::to_string);
    let said = said.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default();
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let place = PANICKED_AT.take();
    let last = points::whereabouts().join(", ");
    format!("{said}, at {place}; the threads have last passed {last}")
}
