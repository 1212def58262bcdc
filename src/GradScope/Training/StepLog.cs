using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace GradScope;

/// <summary>
/// What each step measured. Steps add numbers to flat lists, so that they allocate nothing; records are made of them when somebody
/// asks.
/// </summary>
/// <param name="parameterCount">Parameters of the model.</param>
internal sealed class StepLog(int parameterCount)
{
    /// <summary>Numbers of a step's <see cref="GradScope.Metrics"/>, beside the step itself.</summary>
    public const int Columns = 7;

    private const int MostReserved = 10_000;

    private readonly List<Metrics> metrics = [];
    private readonly List<ImmutableArray<float>> gradientNorms = [];
    private readonly List<double> newMetrics = [];
    private readonly List<float> newNorms = [];

    /// <summary>Steps.</summary>
    public int Count => metrics.Count + newMetrics.Count / Columns;

    /// <summary>One entry a step.</summary>
    public List<Metrics> Metrics
    {
        get
        {
            for (var start = 0; start < newMetrics.Count; start += Columns)
            {
                var row = CollectionsMarshal.AsSpan(newMetrics).Slice(start, Columns);
                metrics.Add(new(metrics.Count + 1, row[0], row[1], row[2], row[3], row[4], Measured(row[5]), Measured(row[6])));
            }

            newMetrics.Clear();
            return metrics;

            static double? Measured(double value) => double.IsNaN(value) ? null : value;
        }
    }

    /// <summary>For each step, the norm of each parameter's gradient.</summary>
    public List<ImmutableArray<float>> GradientNorms
    {
        get
        {
            for (var start = 0; start < newNorms.Count; start += parameterCount)
            {
                gradientNorms.Add(ImmutableArray.Create(CollectionsMarshal.AsSpan(newNorms).Slice(start, parameterCount)));
            }

            newNorms.Clear();
            return gradientNorms;
        }
    }

    /// <summary>Makes room for so many further steps.</summary>
    public void Reserve(int steps)
    {
        newMetrics.EnsureCapacity(newMetrics.Count + Math.Min(steps, MostReserved) * Columns);
        newNorms.EnsureCapacity(newNorms.Count + Math.Min(steps, MostReserved) * parameterCount);
    }

    /// <summary>Adds a step.</summary>
    /// <param name="row">Loss, accuracy, gradient norm, learning rate, update ratio, validation loss and accuracy; NaN where nothing was measured.</param>
    /// <param name="norms">The norm of each parameter's gradient.</param>
    public void Add(ReadOnlySpan<double> row, ReadOnlySpan<float> norms)
    {
        newMetrics.AddRange(row);
        newNorms.AddRange(norms);
    }
}
