use std::fmt::Write;
use std::path::Path;

use super::folder::SweepFolder;
use crate::shell::quoted;

/// Pods at once, lest a large study fill a cluster.
const MOST_PODS: usize = 50;

/// What to hand to another engine, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineText {
    /// The content.
    pub text: String,
    /// The command that takes it.
    pub hint: String,
}

/// How a Slurm array is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slurm {
    /// Runs at once; no bound where absent.
    pub throttle: Option<usize>,
    /// Partition, where the default will not do.
    pub partition: Option<String>,
    /// Further options, each a line for `#SBATCH`.
    pub options: Vec<String>,
}

/// The batch script of a Slurm job array with one task per line of the plan.
///
/// A task that is preempted is queued again and goes on from its last checkpoint; one whose run is
/// finished ends at once. Paths are as this process sees them.
pub fn slurm_script(folder: &SweepFolder, program: &Path, slurm: &Slurm) -> String {
    let resources = folder.resources();
    let last = folder.runs().lines.len() - 1;
    let throttle = slurm.throttle.map_or_else(String::new, |most| format!("%{most}"));
    let root = folder.path().display();
    let mut options = vec![
        format!("--job-name=domino-{}", folder.runs().name),
        format!("--array=0-{last}{throttle}"),
        format!("--cpus-per-task={}", resources.threads),
        format!("--mem={}M", (resources.memory * 1024.0).ceil()),
        format!("--time={}", resources.minutes),
        "--requeue".to_owned(),
        // A minute to save its state before it is killed.
        "--signal=B:INT@60".to_owned(),
        format!("--output={root}/logs/slurm-%A_%a.log"),
        "--open-mode=append".to_owned(),
    ];
    if resources.gpus > 0 {
        options.push(format!("--gres=gpu:{}", resources.gpus));
    }
    options.extend(slurm.partition.iter().map(|name| format!("--partition={name}")));
    options.extend(slurm.options.iter().cloned());
    let mut script = "#!/bin/sh\n".to_owned();
    for option in options {
        let _ = writeln!(script, "#SBATCH {option}");
    }
    let _ = writeln!(script, "export RAYON_NUM_THREADS={}", resources.threads);
    // `exec`, so that the signal reaches the program.
    let _ = writeln!(
        script,
        "exec {} sweep run {} --index \"$SLURM_ARRAY_TASK_ID\"",
        quoted(&program.display().to_string()),
        quoted(&root.to_string())
    );
    script
}

/// The job that collects when the array has ended, however it ended.
pub(crate) fn slurm_collect(folder: &SweepFolder, program: &Path) -> String {
    let root = folder.path().display();
    format!(
        "#!/bin/sh\n#SBATCH --job-name=domino-{}-collect\n#SBATCH --output={root}/logs/slurm-collect.log\n\
         exec {} sweep collect {}\n",
        folder.runs().name,
        quoted(&program.display().to_string()),
        quoted(&root.to_string())
    )
}

/// One command per line, for GNU parallel or any other queue.
pub fn parallel(folder: &SweepFolder, program: &Path) -> EngineText {
    let root = quoted(&folder.path().display().to_string());
    let program = quoted(&program.display().to_string());
    let lines = (0..folder.runs().lines.len())
        .map(|index| format!("{program} sweep run {root} --index {index}\n"));
    let threads = folder.resources().threads;
    EngineText {
        text: lines.collect(),
        hint: format!("RAYON_NUM_THREADS={threads} parallel --jobs 50% < COMMANDS"),
    }
}

/// A Kubernetes Indexed Job whose pods share the study's folder.
pub fn kubernetes(folder: &SweepFolder, image: &str) -> EngineText {
    let (resources, runs) = (folder.resources(), folder.runs().lines.len());
    let at_once = runs.min(MOST_PODS);
    let gpus = match resources.gpus {
        0 => String::new(),
        n => format!("\n              nvidia.com/gpu: {n}"),
    };
    let text = format!(
        "apiVersion: batch/v1
kind: Job
metadata:
  name: domino-{name}
spec:
  completionMode: Indexed
  completions: {runs}
  parallelism: {at_once}
  backoffLimitPerIndex: 2
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: run
          image: {image}
          command: [\"sh\", \"-c\", \"exec domino sweep run /sweep --index $JOB_COMPLETION_INDEX\"]
          env:
            - name: RAYON_NUM_THREADS
              value: \"{threads}\"
          resources:
            requests:
              cpu: {threads}
              memory: {memory}Mi
            limits:
              memory: {memory}Mi{gpus}
          volumeMounts:
            - name: sweep
              mountPath: /sweep
      volumes:
        - name: sweep
          persistentVolumeClaim:
            claimName: domino-{name}
",
        name = folder.runs().name.to_lowercase().replace(['_', '.'], "-"),
        threads = resources.threads,
        memory = (resources.memory * 1024.0).ceil(),
    );
    let hint = format!(
        "kubectl apply -f JOB.yaml; the claim holds the content of {}",
        folder.path().display()
    );
    EngineText { text, hint }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn folder(root: &Path, more: &str) -> SweepFolder {
        fs::write(root.join("base.toml"), "[data.scaling]\nd = 2\n").unwrap();
        let text =
            format!("name = 'Two_runs'\nconfig = 'base.toml'\nseeds = {{ count = 3 }}\n{more}");
        fs::write(root.join("sweep.toml"), text).unwrap();
        SweepFolder::plan(&root.join("sweep.toml"), &root.join("out dir")).unwrap()
    }

    #[test]
    fn the_array_has_one_task_per_line() {
        let place = tempfile::tempdir().unwrap();
        let folder = folder(place.path(), "resources = { threads = 4, memory = 1.5, gpus = 1 }");
        let slurm = Slurm { throttle: Some(2), partition: Some("gpu".into()), options: vec![] };
        let script = slurm_script(&folder, Path::new("/opt/domino"), &slurm);
        for option in [
            "--array=0-2%2",
            "--cpus-per-task=4",
            "--mem=1536M",
            "--gres=gpu:1",
            "--partition=gpu",
            "--requeue",
        ] {
            assert!(script.contains(&format!("#SBATCH {option}\n")), "{option} in {script}");
        }
        let last = script.lines().last().unwrap();
        assert!(last.starts_with("exec /opt/domino sweep run '"), "{last}");
        assert!(last.ends_with("out dir' --index \"$SLURM_ARRAY_TASK_ID\""), "{last}");
    }

    #[test]
    fn other_engines_are_told_every_line() {
        let place = tempfile::tempdir().unwrap();
        let folder = folder(place.path(), "");
        let commands = parallel(&folder, Path::new("domino")).text;
        assert_eq!(commands.lines().count(), 3);
        assert!(commands.lines().last().unwrap().ends_with("--index 2"));
        let job = kubernetes(&folder, "registry/domino:1").text;
        assert!(job.contains("completions: 3") && job.contains("name: domino-two-runs"));
        assert!(job.contains("image: registry/domino:1") && !job.contains("nvidia"));
    }
}
