using System.Collections.Immutable;
using System.Globalization;
using Xunit.Abstractions;

namespace GradScope.Tests.Parity;

/// <summary>Twenty or fifty steps of each optimiser from the same weights on the same batches as PyTorch.</summary>
public class TraceTests(ITestOutputHelper output)
{
    /// <summary>
    /// Rounding differences grow from step to step, Adam's most where a gradient is small and its sign decides; they stay
    /// some tens of times below this, while a wrong β, ε or decay shows above it.
    /// </summary>
    private const double Tolerance = 1e-4;

    public static TheoryData<string, string> Traces
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var model in (string[])["pre-ln-gelu", "post-ln-relu", "rms-norm"])
            {
                foreach (var trace in References.Model(model).Traces)
                {
                    data.Add(model, trace.Name);
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Traces))]
    public void Losses_are_PyTorchs(string model, string trace)
    {
        var reference = References.Model(model);
        var expected = reference.Traces.Single(t => t.Name == trace);
        var settings = expected.Settings;
        var steps = expected.Losses.Length;
        var task = new FixedBatches(reference);
        var trainer = new Trainer(reference.Build(), task)
        {
            BatchSize = task.BatchSize,
            Optimizer = OptimizerOf(settings),
            Schedule = settings is { WarmUp: { } warmUp, MinLearningRate: { } minimum } ? new WarmUpCosine(warmUp, steps, minimum) : new ConstantSchedule(),
            ClipNorm = settings.Clip,
            FrameEvery = 0,
        };
        trainer.Train(steps);
        Assert.True(settings.Clip is not { } limit || expected.GradientNorms.Any(norm => norm > limit), "No gradient is long enough to be clipped.");

        var largest = (Loss: 0.0, Norm: 0.0);
        foreach (var (metrics, i) in trainer.Run.Metrics.Select((metrics, i) => (metrics, i)))
        {
            Check("loss", metrics.Loss, expected.Losses[i], ref largest.Loss);
            Check("gradient norm", metrics.GradientNorm, expected.GradientNorms[i], ref largest.Norm);
            Assert.Equal(expected.LearningRates[i], metrics.LearningRate, 1e-8);

            void Check(string what, double received, double wanted, ref double worst)
            {
                var error = Math.Abs(received - wanted) / Math.Max(1, Math.Abs(wanted));
                worst = Math.Max(worst, error);
                Assert.True(error <= Tolerance, string.Create(CultureInfo.InvariantCulture,
                    $"{model}, {trace}, step {metrics.Step}, {what}: received {received:g9}, expected {wanted:g9}."));
            }
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"largest error: loss {largest.Loss:0.0e-0}, gradient norm {largest.Norm:0.0e-0}"));
    }

    private static Optimizer OptimizerOf(OptimizerSettings settings) => settings.Optimizer switch
    {
        "SGD" => new Sgd(settings.LearningRate, settings.Momentum),
        "Adam" => new Adam(settings.LearningRate) { Beta1 = settings.Beta1, Beta2 = settings.Beta2, Epsilon = settings.Epsilon },
        _ => new AdamW(settings.LearningRate, settings.WeightDecay) { Beta1 = settings.Beta1, Beta2 = settings.Beta2, Epsilon = settings.Epsilon },
    };

    /// <summary>The reference's full batches, one after the other and over again.</summary>
    private sealed class FixedBatches : TrainingTask
    {
        private readonly (int[] Tokens, int[] Targets)[] sequences;
        private readonly int length;
        private int next;

        public FixedBatches(ReferenceModel reference)
        {
            length = reference.Config.ContextLength;
            BatchSize = reference.Batches[0].Tokens.Length;
            Vocabulary = [.. Enumerable.Range(0, reference.Config.VocabSize).Select(id => id.ToString(CultureInfo.InvariantCulture))];
            sequences = [.. reference.Batches
                .Where(batch => batch.Tokens[0].Length == length)
                .SelectMany(batch => batch.Tokens.Zip(batch.Targets))];

            // The trainer draws one batch for the shape of its tape before it draws the first to train on.
            next = sequences.Length - BatchSize;
        }

        public int BatchSize { get; }

        public override string Name => "fixed batches";

        public override ImmutableArray<string> Vocabulary { get; }

        public override ImmutableArray<Baseline> Baselines => [];

        public override int ValidationCount => 0;

        public override string DefaultProbe => "";

        public override int SequenceLength(int contextLength) => length;

        public override void Draw(RandomStream random, Span<int> tokens, Span<int> targets)
        {
            sequences[next].Tokens.CopyTo(tokens);
            sequences[next].Targets.CopyTo(targets);
            next = (next + 1) % sequences.Length;
        }

        public override void Validation(int index, Span<int> tokens, Span<int> targets) => throw new NotSupportedException();

        public override (int[] Tokens, int[] Targets) Encode(string text) => throw new NotSupportedException();
    }
}
