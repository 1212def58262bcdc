using System.Collections.Immutable;

using GradScope.Operations;

namespace GradScope;

/// <summary>How far a gradient is from the central difference (f(h) − f(−h)) / 2h with one step size.</summary>
/// <param name="Size">h, as a part of the direction, whose length is about that of the values.</param>
/// <param name="RelativeError">|received − difference| / max(|received|, |difference|), 0 where they are equal.</param>
public readonly record struct GradientCheckStep(double Size, double RelativeError);

/// <summary>One comparison of a gradient with differences.</summary>
/// <param name="Name">The node's label, and for an operation which input's gradient is meant.</param>
/// <param name="Operation">The operation whose backward is checked, or Variable / Parameter for a gradient of the whole tape.</param>
/// <param name="Shape">The shape of the gradient.</param>
/// <param name="Received">What backward says: the gradient projected on a direction.</param>
/// <param name="Expected">What differences of the forward pass along that direction say.</param>
/// <param name="Uncertainty">How exactly the differences are known: their change with the order of the formula, and float32's rounding.</param>
public sealed record GradientCheckRow(string Name, string Operation, Shape Shape, double Received, double Expected, double Uncertainty)
{
    /// <summary>The largest relative error that passes where the differences are exact.</summary>
    public const double Tolerance = 1e-3;

    /// <summary>
    /// The simplest difference's error at step sizes from 0.1 down to 10⁻⁶, where a sweep was asked for, else empty. The error falls
    /// with h² while the curve is cut short, then rises with 1/h as float32's rounding takes over; a wrong gradient's stays high.
    /// </summary>
    public ImmutableArray<GradientCheckStep> Sweep { get; init; } = [];

    /// <summary>|received − expected| / max(|received|, |expected|), 0 where they are equal.</summary>
    public double RelativeError => Relative(Received, Expected);

    /// <summary>Whether the difference is within <see cref="Tolerance"/> or within what the differences leave open.</summary>
    public bool Passed => RelativeError <= Tolerance || Math.Abs(Received - Expected) <= Uncertainty;

    /// <summary>Whether the differences are known to better than <see cref="Tolerance"/>, so that the relative error tells.</summary>
    public bool IsExact => Uncertainty < Math.Abs(Expected) * Tolerance;

    internal static double Relative(double a, double b) => a == b ? 0 : Math.Abs(a - b) / Math.Max(Math.Abs(a), Math.Abs(b));
}

/// <summary>
/// Backward held against forward: each operation's gradients along random directions, and each leaf's gradient of the whole
/// tape, compared with the sixth-order central difference
/// f′(0) ≈ (45·(f(h) − f(−h)) − 9·(f(2h) − f(−2h)) + (f(3h) − f(−3h))) / 60h, at that of six step sizes h where the formula of
/// fourth order and the step before agree best.
/// </summary>
/// <param name="Rows">The operations in tape order, then the leaves.</param>
public sealed record GradientCheck(ImmutableArray<GradientCheckRow> Rows)
{
    // What rounding the forward pass to float32 does to one operation's result and to a whole network's loss, relative to its size.
    private const double OperationRounding = 2e-7;
    private const double NetworkRounding = 1e-6;

    private static readonly float[] SweepSteps = [0.1f, 0.03f, 0.01f, 0.003f, 0.001f, 3e-4f, 1e-4f, 3e-5f, 1e-5f, 3e-6f, 1e-6f];

    private static readonly float[] Steps = [0.05f, 0.025f, 0.01f, 0.004f, 0.0015f, 0.0006f];

    /// <summary>Whether every row passed.</summary>
    public bool Passed => Rows.All(row => row.Passed);

    /// <summary>The largest relative error of a row whose differences are exact enough to tell.</summary>
    public double LargestError => Rows.Where(row => row.IsExact).Select(row => row.RelativeError).DefaultIfEmpty().Max();

    internal static GradientCheck Of(Tape tape, ulong seed, bool sweep)
    {
        if (tape.Loss is not { } loss)
        {
            throw new InvalidOperationException("CheckGradients: backward has not run for the present values; call tape.Backward(loss) first.");
        }

        var random = new RandomStream(seed);
        var rows = ImmutableArray.CreateBuilder<GradientCheckRow>();
        foreach (var node in tape.Nodes)
        {
            if (node.Kind == NodeKind.Operation && tape.IsReached(node))
            {
                rows.AddRange(CheckOperation(node, random, sweep));
            }
        }

        // Operations were run out of turn: put values and gradients back.
        tape.Forward();
        tape.Backward(loss);
        HoldGates(tape, true);
        foreach (var leaf in tape.Nodes.OfType<Leaf>())
        {
            if (tape.IsReached(leaf))
            {
                rows.Add(CheckLeaf(tape, leaf, loss, random, sweep));
            }
        }

        HoldGates(tape, false);
        tape.Forward();
        tape.Backward(loss);
        return new(rows.ToImmutable());
    }

    private static void HoldGates(Tape tape, bool hold)
    {
        foreach (var node in tape.Nodes)
        {
            node.HoldGates(hold);
        }
    }

    private static IEnumerable<GradientCheckRow> CheckOperation(Node node, RandomStream random, bool sweep)
    {
        // ⟨r, J·d⟩ by differences against ⟨Jᵀ·r, d⟩ by backward.
        var r = RandomDirection(node.Shape.ElementCount, random);
        var inputs = node.Inputs.Where(i => i.RequiresGrad).Distinct().ToArray();
        node.Forward();
        for (var i = 0; i < r.Length; i++)
        {
            // A masked score is −∞ and moves with nothing.
            r[i] = float.IsNegativeInfinity(node.V[i]) ? 0 : r[i];
        }

        foreach (var input in inputs)
        {
            input.G.Clear();
        }

        r.CopyTo(node.G);
        node.Backward();
        foreach (var input in inputs)
        {
            var gradient = input.G.ToArray();
            var direction = RandomDirection(input.Shape.ElementCount, random);
            Scale(direction, input.V);
            AvoidPoles(node, input, direction);
            node.HoldGates(true);
            var row = Compare($"{node.Label} → {input.Label}", node.Operation, input, Dot(gradient, direction), direction, OperationRounding, sweep, () =>
            {
                node.Forward();
                return (Dot(r, node.V), Spread(r, node.V));
            });
            node.HoldGates(false);
            node.Forward();
            yield return row;
        }
    }

    private static GradientCheckRow CheckLeaf(Tape tape, Leaf leaf, Node loss, RandomStream random, bool sweep)
    {
        // Half along the gradient, so that the loss responds; half at random, so that a wrong gradient cannot agree with itself.
        var gradient = leaf.G.ToArray();
        var direction = RandomDirection(gradient.Length, random);
        var norm = Math.Sqrt(Dot(gradient, gradient));
        for (var i = 0; i < direction.Length && norm > 0; i++)
        {
            direction[i] = 0.5f * direction[i] + (float)(gradient[i] / norm * Math.Sqrt(direction.Length));
        }

        Scale(direction, leaf.V);
        foreach (var node in tape.Nodes)
        {
            if (node.Inputs.Contains(leaf))
            {
                AvoidPoles(node, leaf, direction);
            }
        }

        return Compare(leaf.Label, leaf.Kind.ToString(), leaf, Dot(gradient, direction), direction, NetworkRounding, sweep, () =>
        {
            tape.Forward();
            var value = loss is CrossEntropy crossEntropy ? crossEntropy.ExactLoss : loss.V[0];
            return (value, Math.Abs(value));
        });
    }

    private static GradientCheckRow Compare(string name, string operation, Node input, double received, float[] direction, double rounding, bool sweep, Func<(double Value, double Size)> evaluate)
    {
        var values = input.V.ToArray();
        var (derivative, uncertainty) = (0.0, double.PositiveInfinity);
        var larger = double.NaN;
        foreach (var step in Steps)
        {
            var (near, middle, far, size) = (Pair(step), Pair(2 * step), Pair(3 * step), evaluate().Size);
            var fourth = (8 * near - middle) / (12 * step);
            var sixth = (45 * near - 9 * middle + far) / (60 * step);

            // Two formulas may agree by chance on a step too large for the curve: the step before has to agree as well.
            var doubt = Math.Abs(sixth - fourth) + Math.Abs(sixth - larger) + rounding * Math.Max(size, Math.Abs(near)) / step;
            if (doubt < uncertainty)
            {
                (derivative, uncertainty) = (sixth, doubt);
            }

            larger = sixth;
        }

        ImmutableArray<GradientCheckStep> errors = sweep
            ? [.. SweepSteps.Select(step => new GradientCheckStep(step, GradientCheckRow.Relative(received, Pair(step) / (2 * step))))]
            : [];
        values.CopyTo(input.V);
        return new(name, operation, input.Shape, received, derivative, uncertainty) { Sweep = errors };

        double Pair(float distance) => At(distance) - At(-distance);

        double At(float distance)
        {
            var target = input.V;
            for (var i = 0; i < target.Length; i++)
            {
                target[i] = values[i] + distance * direction[i];
            }

            return evaluate().Value;
        }
    }

    private static float[] RandomDirection(int length, RandomStream random)
    {
        var direction = new float[length];
        random.FillNormal(direction, 1);
        return direction;
    }

    /// <summary>Brings the direction to the size of the values, so that steps are neither lost in rounding nor past the curve.</summary>
    private static void Scale(float[] direction, ReadOnlySpan<float> values)
    {
        var size = Math.Sqrt(Dot(values, values) / values.Length);
        for (var i = 0; i < direction.Length; i++)
        {
            direction[i] *= (float)Math.Clamp(size, 0.05, 100);
        }
    }

    /// <summary>Holds still what would come near 0 where the operation has a pole.</summary>
    private static void AvoidPoles(Node node, Node input, float[] direction)
    {
        if (!node.HasPoleAtZero(input))
        {
            return;
        }

        var values = input.V;
        for (var i = 0; i < direction.Length; i++)
        {
            direction[i] = Math.Abs(values[i]) <= 6 * Steps[0] * Math.Abs(direction[i]) ? 0 : direction[i];
        }
    }

    /// <summary>√Σ (aᵢbᵢ)²: what rounding of b moves Σ aᵢbᵢ by is a part of this, also where the sum itself is small because its terms cancel.</summary>
    private static double Spread(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var sum = 0.0;
        for (var i = 0; i < a.Length; i++)
        {
            var term = a[i] == 0 ? 0 : (double)a[i] * b[i];
            sum += term * term;
        }

        return Math.Sqrt(sum);
    }

    private static double Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var sum = 0.0;
        for (var i = 0; i < a.Length; i++)
        {
            // A masked score is −∞ and has no part in a sum.
            sum += a[i] == 0 || float.IsNegativeInfinity(b[i]) ? 0 : (double)a[i] * b[i];
        }

        return sum;
    }
}
