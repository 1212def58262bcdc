namespace GradScope;

public sealed partial class Trainer
{
    private const string StateKey = "gradscope.training";
    private const string MetricsName = MiniTransformer.TrainingPrefix + "metrics";
    private const string NormsName = MiniTransformer.TrainingPrefix + "gradient_norms";

    /// <summary>
    /// Writes the model and all that continuing needs: the optimiser's moments and update count, the random streams, and what each
    /// step measured. <see cref="MiniTransformer.Load"/> reads the model from it alone. Frames are pictures, and stay out.
    /// </summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Save(string path)
    {
        var state = new TrainingState(Task.Name, Optimizer.GetType().Name, Optimizer.Updates, [.. Optimizer.UpdatesOf], Steps, random.State, batch?.Tape.Replays ?? 0);
        var metadata = Model.Metadata();
        metadata.Add(StateKey, CheckpointJson.Write(state));
        SafetensorsWriter.Write(path, [.. Model.Parts(), .. StateParts()], metadata);
    }

    /// <summary>
    /// Takes up a training that <see cref="Save"/> wrote, before this trainer's first step: its further steps then have the losses that
    /// an uninterrupted training has. Model, task and settings are this trainer's, made as they were:
    /// <c>new Trainer(MiniTransformer.Load(path), task) { … }.Resume(path)</c>; a setting that is another counts from here on.
    /// </summary>
    /// <returns>This trainer.</returns>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">
    /// The file is damaged, holds no training, or one of another configuration, task or kind of optimiser; nothing is changed then.
    /// </exception>
    /// <exception cref="InvalidOperationException">This trainer or its optimiser has made a step.</exception>
    public Trainer Resume(string path)
    {
        if (Steps > 0 || Optimizer.Updates > 0)
        {
            throw new InvalidOperationException($"Resume: the trainer has made {Steps} steps and its optimiser {Optimizer.Updates}; make a new trainer with a new optimiser, and resume before its first step.");
        }

        using var file = Safetensors.Open(path);
        var state = CheckpointJson.Read<TrainingState>(file, StateKey, "Resume from a file that trainer.Save wrote");
        Compare(file, state);
        var weights = new StoredWeights(file, name => new(name));
        foreach (var (name, shape) in Model.Parameters.Select(p => (p.Name, p.Shape)))
        {
            weights.Require(name, shape);
            foreach (var (moment, _) in state.Updates > 0 ? Optimizer.State : [])
            {
                weights.Require(MomentName(moment, name), shape);
            }
        }

        if (state.Steps > 0)
        {
            weights.Require(MetricsName, [state.Steps, StepLog.Columns]);
            weights.Require(NormsName, [state.Steps, Model.Parameters.Count]);
        }

        if (state.Updates > 0)
        {
            Optimizer.Resume(Model.Store, state.Updates, state.UpdatesOf);
        }

        foreach (var parameter in Model.Parameters)
        {
            weights.Fill(parameter.Name, parameter.Shape, parameter.ValueBuffer.Span);
            foreach (var (moment, values) in state.Updates > 0 ? Optimizer.State : [])
            {
                weights.Fill(MomentName(moment, parameter.Name), parameter.Shape, values.Span.Slice(parameter.Offset, parameter.Shape.ElementCount));
            }
        }

        if (state.Steps > 0)
        {
            ReadMeasurements(file, state.Steps);
        }

        random.State = state.Random;
        Batch.Tape.Replays = state.Replays;
        return this;
    }

    private static string MomentName(string moment, string parameter) => $"{MiniTransformer.TrainingPrefix}{moment}.{parameter}";

    private IEnumerable<SafetensorsPart> StateParts()
    {
        foreach (var (moment, values) in Optimizer.Updates > 0 ? Optimizer.State : [])
        {
            foreach (var parameter in Model.Parameters)
            {
                yield return SafetensorsPart.Of(MomentName(moment, parameter.Name), parameter.Shape, values.Slice(parameter.Offset, parameter.Shape.ElementCount));
            }
        }

        if (Steps > 0)
        {
            double[] measured = [.. log.Metrics.SelectMany(m => (double[])
                [m.Loss, m.Accuracy, m.GradientNorm, m.LearningRate, m.UpdateRatio, m.ValidationLoss ?? double.NaN, m.ValidationAccuracy ?? double.NaN])];
            yield return SafetensorsPart.Of(MetricsName, [Steps, StepLog.Columns], measured);
            float[] norms = [.. log.GradientNorms.SelectMany(row => row)];
            yield return SafetensorsPart.Of(NormsName, [Steps, Model.Parameters.Count], norms);
        }
    }

    private void ReadMeasurements(Safetensors file, int steps)
    {
        var measured = new double[steps * StepLog.Columns];
        file.Read<double>(MetricsName, measured);
        var norms = file.Read(NormsName);
        for (var i = 0; i < steps; i++)
        {
            log.Add(measured.AsSpan(i * StepLog.Columns, StepLog.Columns), norms.Slice(i).Values);
        }
    }

    private void Compare(Safetensors file, TrainingState state)
    {
        var (saved, own) = (Explicit(MiniTransformer.ReadConfig(file)), Explicit(Model.Config));
        string[] differences =
        [
            .. typeof(TransformerConfig).GetProperties().Where(p => p.CanWrite).Select(p => (p.Name, Saved: p.GetValue(saved), Own: p.GetValue(own)))
                .Append(("task", state.Task, Task.Name))
                .Append(("optimiser", state.Optimizer, Optimizer.GetType().Name))
                .Where(pair => !Equals(pair.Saved, pair.Own))
                .Select(pair => FormattableString.Invariant($"{pair.Name} {pair.Saved}, here {pair.Own}")),
        ];
        if (differences.Length > 0)
        {
            throw file.Refused($"the training saved there has {string.Join("; ", differences)}. Make the trainer as it was, with MiniTransformer.Load(path) as its model");
        }

        var counted = state.Updates == 0 || (state.UpdatesOf.Length == Model.Parameters.Count && state.UpdatesOf.All(n => n >= 0 && n <= state.Updates));
        if (state.Steps < 0 || state.Updates < 0 || state.Replays < 0 || !counted)
        {
            throw file.Refused($"its metadata tells of {state.Steps} steps, {state.Updates} updates ({string.Join(", ", state.UpdatesOf)} by parameter) and {state.Replays} replays. It is damaged; copy it again");
        }

        static TransformerConfig Explicit(TransformerConfig config) => config with { MlpDim = config.HiddenDim };
    }
}

/// <summary>What continues a training, beside tensors.</summary>
/// <param name="Task">The task's name.</param>
/// <param name="Optimizer">The optimiser's type.</param>
/// <param name="Updates">How many updates it made.</param>
/// <param name="UpdatesOf">How many of them each parameter had.</param>
/// <param name="Steps">How many steps the trainer measured.</param>
/// <param name="Random">The state of the stream that draws examples.</param>
/// <param name="Replays">The counter of dropout's masks.</param>
internal sealed record TrainingState(string Task, string Optimizer, int Updates, int[] UpdatesOf, int Steps, ulong Random, long Replays);
