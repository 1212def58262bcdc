using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace GradScope.Operations;

/// <summary>A function of two numbers and its two partial derivatives.</summary>
internal interface IBinaryRule
{
    static abstract string Name { get; }

    static abstract string Formula(string a, string b);

    /// <summary>What backward adds to ∂a and ∂b, in words; G is the result's gradient.</summary>
    static abstract (string A, string B) Rules(string a, string b);

    static virtual bool HasPoleAtZeroOfB => false;

    static abstract Vector512<float> Forward(Vector512<float> a, Vector512<float> b);

    /// <summary>What a result's gradient g makes of a's gradient.</summary>
    static abstract Vector512<float> BackwardA(Vector512<float> a, Vector512<float> b, Vector512<float> g);

    /// <summary>What a result's gradient g makes of b's gradient.</summary>
    static abstract Vector512<float> BackwardB(Vector512<float> a, Vector512<float> b, Vector512<float> g);
}

/// <summary>
/// c = f(a, b), element by element. Shapes are aligned at the last dimension and a dimension of size 1, or one that is missing,
/// is repeated (broadcast); backward sums over what was repeated.
/// </summary>
internal sealed class Binary<TRule> : Node
    where TRule : IBinaryRule
{
    private readonly Node a;
    private readonly Node b;
    private readonly Axes axes;

    public Binary(Node a, Node b)
        : base(a.Tape, Broadcast(a, b), a, b)
    {
        (this.a, this.b) = (a, b);
        axes = new Axes(a.Shape, b.Shape, Shape);
    }

    public override string Formula => TRule.Formula(a.Label, b.Label);

    public override IReadOnlyList<string> BackwardRule
    {
        get
        {
            var (ofA, ofB) = TRule.Rules(a.Label, b.Label);
            return [Summed(ofA, a), Summed(ofB, b)];

            string Summed(string rule, Node input) => input.Shape == Shape ? rule : $"Σ {rule}";
        }
    }

    private protected override string OperationName => TRule.Name;

    private bool SameShapes => a.Shape == b.Shape;

    internal override bool HasPoleAtZero(Node input) => TRule.HasPoleAtZeroOfB && input == b;

    internal override void Forward()
    {
        if (SameShapes)
        {
            var xs = Vectors(a.ValueBuffer);
            var ys = Vectors(b.ValueBuffer);
            var zs = Vectors(ValueBuffer);
            for (var i = 0; i < zs.Length; i++)
            {
                zs[i] = TRule.Forward(xs[i], ys[i]);
            }

            return;
        }

        var av = a.V;
        var bv = b.V;
        var c = V;
        foreach (var run in axes)
        {
            for (var j = 0; j < axes.RunLength; j += 16)
            {
                var count = Math.Min(16, axes.RunLength - j);
                Store(TRule.Forward(Load(av, run.A, axes.StepA, j, count), Load(bv, run.B, axes.StepB, j, count)), c.Slice(run.C + j, count));
            }
        }
    }

    internal override void Backward()
    {
        if (SameShapes)
        {
            var xs = Vectors(a.ValueBuffer);
            var ys = Vectors(b.ValueBuffer);
            var gs = Vectors(GradBuffer);
            if (a.RequiresGrad)
            {
                var target = Vectors(a.GradBuffer);
                for (var i = 0; i < gs.Length; i++)
                {
                    target[i] += TRule.BackwardA(xs[i], ys[i], gs[i]);
                }
            }

            if (b.RequiresGrad)
            {
                var target = Vectors(b.GradBuffer);
                for (var i = 0; i < gs.Length; i++)
                {
                    target[i] += TRule.BackwardB(xs[i], ys[i], gs[i]);
                }
            }

            return;
        }

        var av = a.V;
        var bv = b.V;
        var g = G;
        foreach (var run in axes)
        {
            for (var j = 0; j < axes.RunLength; j += 16)
            {
                var count = Math.Min(16, axes.RunLength - j);
                var x = Load(av, run.A, axes.StepA, j, count);
                var y = Load(bv, run.B, axes.StepB, j, count);
                var gradient = Load(g, run.C, 1, j, count);
                if (a.RequiresGrad)
                {
                    Add(TRule.BackwardA(x, y, gradient), a.G, run.A, axes.StepA, j, count);
                }

                if (b.RequiresGrad)
                {
                    Add(TRule.BackwardB(x, y, gradient), b.G, run.B, axes.StepB, j, count);
                }
            }
        }
    }

    private static Span<Vector512<float>> Vectors(Buffer buffer) => MemoryMarshal.Cast<float, Vector512<float>>(buffer.Padded);

    /// <summary>Up to 16 elements of a run, or one element repeated where the run's step is 0.</summary>
    private static Vector512<float> Load(ReadOnlySpan<float> source, int start, int step, int j, int count)
    {
        if (step == 0)
        {
            return Vector512.Create(source[start]);
        }

        if (count == 16)
        {
            return Vector512.Create(source.Slice(start + j, 16));
        }

        Span<float> whole = stackalloc float[16];
        whole.Clear();
        source.Slice(start + j, count).CopyTo(whole);
        return Vector512.Create<float>(whole);
    }

    private static void Store(Vector512<float> vector, Span<float> target)
    {
        if (target.Length == 16)
        {
            vector.CopyTo(target);
            return;
        }

        Span<float> whole = stackalloc float[16];
        vector.CopyTo(whole);
        whole[..target.Length].CopyTo(target);
    }

    private static void Add(Vector512<float> gradient, Span<float> target, int start, int step, int j, int count)
    {
        if (step == 1)
        {
            Store(Load(target, start, 1, j, count) + gradient, target.Slice(start + j, count));
            return;
        }

        Span<float> whole = stackalloc float[16];
        gradient.CopyTo(whole);
        foreach (var element in whole[..count])
        {
            target[start] += element;
        }
    }

    private static Shape Broadcast(Node a, Node b)
    {
        Span<int> sizes = stackalloc int[4];
        for (var axis = 0; axis < 4; axis++)
        {
            var (x, y) = (a.Shape.Padded(axis).Size, b.Shape.Padded(axis).Size);
            if (x != y && x != 1 && y != 1)
            {
                throw new ArgumentException(
                    $"{TRule.Name}: {a.Label} is {a.Shape} but {b.Label} is {b.Shape}; aligned at the last dimension, sizes must be equal or 1.");
            }

            sizes[axis] = Math.Max(x, y);
        }

        return new Shape(sizes[(4 - Math.Max(a.Shape.Rank, b.Shape.Rank))..]);
    }

    /// <summary>The result's rows, each with where it starts in a, b and c; along a row a and b step by 1 or stay (0).</summary>
    private readonly struct Axes(Shape a, Shape b, Shape c)
    {
        public int RunLength { get; } = c.Columns;

        public int StepA { get; } = StrideIn(a, 3);

        public int StepB { get; } = StrideIn(b, 3);

        public Enumerator GetEnumerator() => new(a, b, c);

        private static int StrideIn(Shape shape, int axis)
        {
            var (size, stride) = shape.Padded(axis);
            return size == 1 ? 0 : stride;
        }

        public struct Enumerator(Shape a, Shape b, Shape c)
        {
            private readonly int rows = c.Rows;
            private readonly (int Size1, int Size2) sizes = (c.Padded(1).Size, c.Padded(2).Size);
            private readonly (int S0, int S1, int S2) strideA = (StrideIn(a, 0), StrideIn(a, 1), StrideIn(a, 2));
            private readonly (int S0, int S1, int S2) strideB = (StrideIn(b, 0), StrideIn(b, 1), StrideIn(b, 2));
            private readonly int columns = c.Columns;
            private int row = -1;

            public readonly (int A, int B, int C) Current
            {
                get
                {
                    var (rest, i2) = Math.DivRem(row, sizes.Size2);
                    var (i0, i1) = Math.DivRem(rest, sizes.Size1);
                    return (
                        i0 * strideA.S0 + i1 * strideA.S1 + i2 * strideA.S2,
                        i0 * strideB.S0 + i1 * strideB.S1 + i2 * strideB.S2,
                        row * columns);
                }
            }

            public bool MoveNext() => ++row < rows;
        }
    }
}
