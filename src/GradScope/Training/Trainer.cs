using System.Collections.Immutable;

namespace GradScope;

/// <summary>
/// Trains a model on a task, step by step, and records every step: batches are drawn by a seed, tapes are recorded once a shape
/// and replayed, and the same seed gives the same run.
/// </summary>
public sealed partial class Trainer
{
    /// <summary>Models with so many parameters or fewer have their numbers copied into the run's frames; of larger ones the norms.</summary>
    private const int FewParameters = 20_000;

    private readonly RandomStream random;
    private readonly int length;
    private readonly StepLog log;
    private readonly GradientNorms norms;
    private readonly Filler draw;
    private readonly List<Frame> frames = [];
    private Workout? batch;
    private Workout? probe;
    private Workout? validation;
    private Workout? remainder;

    /// <param name="model">Its vocabulary must be the task's.</param>
    /// <param name="task">Where examples come from.</param>
    /// <param name="seed">The seed of the order of examples.</param>
    /// <exception cref="ArgumentException">The vocabularies differ, or the model's context is too short for the task.</exception>
    public Trainer(MiniTransformer model, TrainingTask task, ulong seed = 1)
    {
        if (model.Config.VocabSize != task.VocabSize)
        {
            throw new ArgumentException($"Trainer: the model has {model.Config.VocabSize} tokens but the task “{task.Name}” has {task.VocabSize}; build the model with vocabSize: {task.VocabSize}.");
        }

        (Model, Task, random) = (model, task, new RandomStream(seed));
        length = task.SequenceLength(model.Config.ContextLength);
        log = new(model.Parameters.Count);
        norms = new(model.Store);
        draw = (_, tokens, targets) => Task.Draw(this.random, tokens, targets);
    }

    /// <summary>What is trained.</summary>
    public MiniTransformer Model { get; }

    /// <summary>What on.</summary>
    public TrainingTask Task { get; }

    /// <summary>AdamW with a learning rate of 0.001, unless another is given.</summary>
    public Optimizer Optimizer { get; init; } = new AdamW(1e-3f);

    /// <summary>How the learning rate changes; constant unless given.</summary>
    public Schedule Schedule { get; init; } = new ConstantSchedule();

    /// <summary>Sequences in a batch.</summary>
    public int BatchSize { get; init; } = 32;

    /// <summary>The gradient's largest norm: a longer one is scaled down to it (Pascanu et al. 2013). None unless given.</summary>
    public float? ClipNorm { get; init; }

    /// <summary>The input that frames look at; the task's own choice unless given.</summary>
    public string? Probe { get; init; }

    /// <summary>Every how many steps held-out examples are scored; 0 for never.</summary>
    public int ValidationEvery { get; init; } = 100;

    /// <summary>At the most how many held-out examples are scored each time.</summary>
    public int ValidationSize { get; init; } = 500;

    /// <summary>
    /// Every how many steps a frame of the probe is recorded; 0 for never. A frame holds the parameters' numbers where the model has
    /// 20,000 or fewer, otherwise their norms.
    /// </summary>
    public int FrameEvery { get; init; } = 50;

    /// <summary>
    /// Whether steps and frames run backward. Off, a step measures its batch's loss and nothing learns, and frames hold values without
    /// gradients.
    /// </summary>
    public bool Backprop { get; set; } = true;

    /// <summary>How many steps were made.</summary>
    public int Steps => log.Count;

    /// <summary>
    /// Raised after each step, on the thread that trains, with what it measured: between two steps the trainer may be looked at, and
    /// training waits as long as the handler takes.
    /// </summary>
    public event Action<Metrics>? Stepped;

    /// <summary>What the last step measured; null before the first.</summary>
    public Metrics? Last => log.Metrics.LastOrDefault();

    /// <summary>The recorded training so far, a copy that later steps do not change.</summary>
    public Run Run => new(
        Recorder.Capture(Model),
        Task.Name,
        Optimizer.Description + (ClipNorm is { } clip ? FormattableString.Invariant($", clip {clip}") : ""),
        BatchSize,
        [.. log.Metrics],
        Task.Baselines,
        [.. Model.Parameters.Select(p => p.Name)],
        [.. log.GradientNorms],
        [.. frames]);

    /// <summary>Trains once and returns the probe under the weights that the step started from, with every value and gradient.</summary>
    /// <exception cref="ArithmeticException">The loss is not finite; the weights are left as they were.</exception>
    public Frame Step()
    {
        var frame = Look(parameterTensors: true);
        Update();
        return frame with { Metrics = Last };
    }

    /// <summary>Trains some steps.</summary>
    /// <param name="steps">How many, at least 1.</param>
    /// <param name="afterStep">Called after each with what it measured.</param>
    /// <param name="cancellation">Stops after the current step; everything so far is kept, and training can go on later.</param>
    /// <exception cref="ArithmeticException">The loss is not finite; the weights are left as they were.</exception>
    public void Train(int steps, Action<Metrics>? afterStep = null, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        log.Reserve(steps);
        for (var i = 0; i < steps && !cancellation.IsCancellationRequested; i++)
        {
            if (Steps == 0 && FrameEvery > 0)
            {
                Keep();
            }

            Update();
            if (FrameEvery > 0 && Steps % FrameEvery == 0)
            {
                Keep();
            }

            afterStep?.Invoke(log.Metrics[^1]);
        }
    }

    /// <summary>The probe under the present weights, forward and backward; the model does not learn from it.</summary>
    /// <param name="text">Another input than <see cref="Probe"/>.</param>
    /// <param name="parameterTensors">Whether the parameters' numbers and what each step of backward adds are copied too, or only the parameters' norms.</param>
    /// <exception cref="ArgumentException">The text is not one of the task's, or longer than the context.</exception>
    public Frame Look(string? text = null, bool parameterTensors = false)
    {
        var watch = parameterTensors ? new BackwardWatch() : null;
        var workout = Pass(text, watch);
        return FrameOf(workout, Recorder.Capture(workout.Tape, parameterTensors, watch));
    }

    /// <summary>Mean cross-entropy in nats and accuracy on held-out examples, without dropout and without learning.</summary>
    /// <param name="count">At the most how many examples; all unless given.</param>
    /// <exception cref="InvalidOperationException">The task holds nothing out.</exception>
    public (double Loss, double Accuracy) Evaluate(int? count = null)
    {
        var examples = Math.Min(count ?? Task.ValidationCount, Task.ValidationCount);
        if (examples < 1)
        {
            throw new InvalidOperationException($"Evaluate: the task “{Task.Name}” holds no examples out.");
        }

        var (loss, correct, targets) = (0.0, 0, 0);
        for (var start = 0; start < examples; start += BatchSize)
        {
            var size = Math.Min(BatchSize, examples - start);
            var workout = size == BatchSize
                ? validation ??= Prepare(size, gradients: false, FillFrom(start))
                : remainder?.Count == size ? remainder : remainder = Prepare(size, gradients: false, FillFrom(start));
            Fill(workout, FillFrom(start));
            workout.Replay();
            loss += workout.Loss.ExactLoss * workout.Loss.Count;
            correct += workout.Loss.Correct;
            targets += workout.Loss.Count;
        }

        return (loss / targets, (double)correct / targets);

        Filler FillFrom(int start) => (i, tokens, wanted) => Task.Validation(start + i, tokens, wanted);
    }

    /// <summary>"Trainer: step 12, loss 2.31 …", in a line.</summary>
    public override string ToString() => Last is { } last
        ? FormattableString.Invariant($"Trainer of “{Task.Name}”: step {last.Step}, loss {last.Loss:F4} nats, accuracy {last.Accuracy:P0}")
        : $"Trainer of “{Task.Name}”: no step yet";

    private delegate void Filler(int sequence, Span<int> tokens, Span<int> targets);

    private Workout Batch => batch ??= Prepare(BatchSize, gradients: true, (_, tokens, targets) => Task.Draw(new RandomStream(0), tokens, targets));

    private void Update()
    {
        var batch = Batch;
        Fill(batch, draw);
        batch.Replay();
        var store = Model.Store;
        if (!Backprop)
        {
            norms.Clear();
            Record(batch.Loss, 0, 0, 0);
            return;
        }

        batch.Tape.Backward(batch.Loss);
        var norm = norms.Measure();
        if (!double.IsFinite(norm))
        {
            var worst = store.Parameters[norms.Broken].Name;
            throw new ArithmeticException($"Trainer: at step {Steps + 1} the gradient of {worst} is not finite, although the loss is {batch.Loss.ExactLoss:G4}; the weights are left as they were. Use a smaller learning rate, or set ClipNorm.");
        }

        var rate = Schedule.At(Steps + 1, Optimizer.LearningRate);
        var scale = ClipNorm is { } clip ? (float)Math.Min(1, clip / (norm + 1e-6)) : 1;
        var (update, weights) = Optimizer.Step(store, rate, scale);
        Record(batch.Loss, norm, rate, weights == 0 ? 0 : Math.Sqrt(update / weights));
    }

    private void Record(Operations.CrossEntropy loss, double norm, double rate, double updateRatio)
    {
        var held = ValidationEvery > 0 && Task.ValidationCount > 0 && (Steps + 1) % ValidationEvery == 0
            ? Evaluate(ValidationSize)
            : (Loss: double.NaN, Accuracy: double.NaN);
        log.Add([loss.ExactLoss, (double)loss.Correct / loss.Count, norm, rate, updateRatio, held.Loss, held.Accuracy], norms.Values);
        Stepped?.Invoke(log.Metrics[^1]);
    }

    /// <summary>Adds a frame to the run.</summary>
    private void Keep()
    {
        var workout = Pass(null, watch: null);
        frames.Add(FrameOf(workout, Recorder.CaptureWhole(workout.Tape, parameterTensors: Model.ParameterCount <= FewParameters)));
    }

    /// <summary>The probe or another text, forward and backward.</summary>
    private Workout Pass(string? text, BackwardWatch? watch)
    {
        var workout = text is null ? probe ??= Examine(Probe ?? Task.DefaultProbe) : Examine(text);
        workout.Replay();
        if (Backprop && workout.Loss.RequiresGrad) workout.Tape.Backward(workout.Loss, watch);
        return workout;
    }

    private Frame FrameOf(Workout workout, TapeFrame tape)
    {
        ImmutableArray<string> tokens = [.. workout.Tokens(0).ToArray().Select(t => Task.Vocabulary[t])];
        return new(
            Steps,
            Recorder.Capture(Model, tape),
            tape with { Tokens = tokens },
            tokens,
            [.. workout.Targets(0).ToArray().Select(t => t == TrainingTask.NoTarget ? null : Task.Vocabulary[t])],
            Task.Vocabulary,
            workout.Loss.ExactLoss,
            Last);
    }

    private Workout Prepare(int count, bool gradients, Filler fill)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1, nameof(BatchSize));
        var tokens = new int[count * length];
        var targets = new int[count * length];
        for (var i = 0; i < count; i++)
        {
            fill(i, tokens.AsSpan(i * length, length), targets.AsSpan(i * length, length));
        }

        return new(Model, new Tape(gradients), tokens, targets, length, training: gradients);
    }

    private static void Fill(Workout workout, Filler fill)
    {
        for (var i = 0; i < workout.Count; i++)
        {
            fill(i, workout.Tokens(i), workout.Targets(i));
        }
    }

    private Workout Examine(string text)
    {
        var (tokens, targets) = Task.Encode(text);
        return new(Model, new Tape(gradients: true, ownParameterGradients: true), tokens, targets, tokens.Length, training: false);
    }
}
