using GradScope.Cli;
using GradScope.Testing;

namespace GradScope.Figures.Tests;

/// <summary>Real frames, each number from the engine: a model of the teaching size (2 layers × 2 heads, width 16) learns names.</summary>
internal static class Trained
{
    private static readonly Lazy<Names> names = new(() => Names.Load(Path.Combine(Repository.Root, "notebooks", "data", "names.txt")));

    private static readonly Lazy<Showcase> teaching = new(() => Showcase.Train(names.Value, Showcase.TeachingSize, 200));

    // Without biases: ∂L/∂(key bias) is zero but for rounding, which is another on each kind of CPU, and a snapshot would hold it.
    private static readonly Lazy<Showcase> plain = new(() => Showcase.Train(names.Value, Showcase.TeachingSize with { Biases = false }, 60));

    private static readonly Lazy<Showcase> played = new(() => Showcase.Train(names.Value, Showcase.TeachingSize, 200, frameEvery: 10));

    private static readonly Lazy<Frame> deep = new(Showcase.Deep);

    /// <summary>The default options, after 200 steps.</summary>
    public static Showcase Teaching => teaching.Value;

    /// <summary>Without biases, after 60 steps: what snapshots are of.</summary>
    public static Showcase Plain => plain.Value;

    /// <summary>The default options, with a picture of every tenth of 200 steps.</summary>
    public static Showcase Played => played.Value;

    /// <summary>12 layers × 12 heads × 256 positions.</summary>
    public static Frame Deep => deep.Value;

    /// <summary>Another model before its first step.</summary>
    public static Frame Look(TransformerConfig config) => new Trainer(new MiniTransformer(config), names.Value).Look("ada");

    /// <summary>The expression of micrograd's README as a frame.</summary>
    public static TapeFrame Micrograd(bool backward = true) => Recorder.Capture(Showcase.Micrograd(backward));
}
