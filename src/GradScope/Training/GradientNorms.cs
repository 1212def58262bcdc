namespace GradScope;

/// <summary>‖∂L/∂θ‖ of each parameter of a model, summed on both cores where that is worth it.</summary>
internal sealed class GradientNorms
{
    private readonly ParameterStore store;
    private readonly Chunk[] chunks;
    private readonly double[] squares, sums;
    private readonly float[] norms;

    public GradientNorms(ParameterStore store)
    {
        (this.store, chunks) = (store, Chunk.Of(store));
        squares = new double[chunks.Length];
        sums = new double[store.Parameters.Count];
        norms = new float[store.Parameters.Count];
    }

    /// <summary>One a parameter, in the model's order.</summary>
    public ReadOnlySpan<float> Values => norms;

    /// <summary>The first parameter whose gradient is not finite; −1 where all are.</summary>
    public int Broken => Array.FindIndex(sums, s => !double.IsFinite(s));

    /// <summary>Takes the present gradients; returns the norm of them all.</summary>
    public double Measure()
    {
        var job = new Job(chunks, squares);
        Workers.For(ref job, chunks.Length, store.Grads.Length / 4);
        Array.Clear(sums);
        for (var i = 0; i < chunks.Length; i++)
        {
            sums[chunks[i].Index] += squares[i];
        }

        for (var i = 0; i < norms.Length; i++)
        {
            norms[i] = (float)Math.Sqrt(sums[i]);
        }

        return Math.Sqrt(sums.Sum());
    }

    /// <summary>Where backward does not run.</summary>
    public void Clear() => Array.Clear(norms);

    private readonly struct Job(Chunk[] chunks, double[] squares) : IJob
    {
        public void Run(int from, int to)
        {
            for (var i = from; i < to; i++)
            {
                squares[i] = Reductions.SumOfSquares(chunks[i].Gradient);
            }
        }
    }
}
