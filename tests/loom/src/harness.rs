//! Runs the models and reports on them as a test harness does.

use crate::{
    explore::Explorer,
    machine::{self, Sabotage},
    models, trace,
};
use core::cell::RefCell;
use std::{
    panic::{self, AssertUnwindSafe},
    process::ExitCode,
    sync::Mutex,
    thread,
    time::Instant,
};

/// Something to explore.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&mut Explorer),
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

thread_local! {
    static PANICKED_AT: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs the models that the arguments name a part of, and all if they name none.
pub fn run(arguments: impl Iterator<Item = String>) -> ExitCode {
    let (options, filters): (Vec<_>, Vec<_>) = arguments.partition(|word| word.starts_with('-'));
    let all: Vec<Test> = models::ALL.iter().copied().flatten().flat_map(tests).collect();
    let is_meant = |test: &Test| {
        filters.is_empty() || filters.iter().any(|part| test.name().contains(part.as_str()))
    };
    let chosen: Vec<Test> = all.iter().copied().filter(is_meant).collect();
    if options.iter().any(|option| option == "--list") {
        chosen.iter().for_each(|test| println!("{}: test", test.name()));
        return ExitCode::SUCCESS;
    }
    report(&chosen, all.len() - chosen.len())
}

fn report(chosen: &[Test], others: usize) -> ExitCode {
    // The coroutines of a model have small stacks, too small for a trace.
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        PANICKED_AT.with_borrow_mut(|at| *at = place);
    }));
    let began = Instant::now();
    let preemptions = preemptions();
    println!("\nrunning {} models, up to {preemptions} preemptions", chosen.len());
    let failed = run_all(chosen, preemptions);
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

/// On all processors; returns how many have failed.
fn run_all(chosen: &[Test], preemptions: usize) -> usize {
    let (rest, failed) = (Mutex::new(chosen.iter()), Mutex::new(0));
    let next = || rest.lock().ok()?.next();
    let worker = || {
        while let Some(test) = next() {
            let (verdict, report) = test.run(preemptions);
            println!("test {} ... {verdict} ({report})", test.name());
            let lines = trace::take();
            if verdict != "ok" {
                lines.iter().for_each(|line| println!("    {line}"));
            }
            if verdict != "ok"
                && let Ok(mut failed) = failed.lock()
            {
                *failed += 1;
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(worker);
        }
    });
    failed.into_inner().unwrap_or(usize::MAX)
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

    /// The verdict, and what there is to say about it.
    fn run(&self, preemptions: usize) -> (&'static str, String) {
        let mut explorer = Explorer::new(preemptions, self.defect.map(|defect| defect.0));
        let began = Instant::now();
        let model = AssertUnwindSafe(|| (self.model.run)(&mut explorer));
        let result = panic::catch_unwind(model);
        let seconds = began.elapsed().as_secs_f64();
        explorer.count();
        let Explorer { executions, deaths, .. } = explorer;
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

/// What a panic said, where, and where the victims were.
fn describe(payload: &(dyn core::any::Any + Send)) -> String {
    let said = payload.downcast_ref::<&str>().map(ToString::to_string);
    let said = said.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default();
    let victims = machine::whereabouts();
    let place = PANICKED_AT.take();
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let victims: String = victims
        .iter()
        .map(|(step, point)| format!("; a victim after step {step}, last at {point}"))
        .collect();
    format!("{said}, at {place}{victims}")
}
