using System.Runtime.CompilerServices;

namespace GradScope.Operations;

/// <summary>A function of two numbers and its two partial derivatives.</summary>
internal interface IBinaryRule
{
    static abstract string Name { get; }

    static abstract string Formula(string a, string b);

    /// <summary>What backward adds to ∂a and ∂b, in words; G is the result's gradient.</summary>
    static abstract (string A, string B) Rules(string a, string b);

    static virtual bool HasPoleAtZeroOfB => false;

    /// <summary>Whether the partial derivatives depend on a and b; where not, backward need not read them.</summary>
    static virtual bool IsLinear => false;

    static abstract T Forward<T>(T a, T b) where T : struct, ILanes<T>;

    /// <summary>What a result's gradient g makes of a's gradient.</summary>
    static abstract T BackwardA<T>(T a, T b, T g) where T : struct, ILanes<T>;

    /// <summary>What a result's gradient g makes of b's gradient.</summary>
    static abstract T BackwardB<T>(T a, T b, T g) where T : struct, ILanes<T>;
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

    internal override bool WritesWholeGradients => SameShapes;

    internal override void Forward()
    {
        if (SameShapes)
        {
            Lanes.For(new ForwardRange(this), ValueBuffer.Blocks, Shape.ElementCount / 4);
        }
        else
        {
            Lanes.For(new ForwardRows(this), Shape.Rows, Shape.ElementCount / 4);
        }
    }

    internal override void Backward()
    {
        if (!SameShapes)
        {
            // Threads share the last axis but one, unless a or b is repeated along it: what is summed into an element is one thread's.
            var rows = new BackwardRows(this);
            if (axes.HasRowsApart) Lanes.For(rows, axes.RowCount, Shape.ElementCount / 2);
            else Lanes.Run(rows, axes.RowCount);
            return;
        }

        var job = new BackwardRange(this, a.RequiresGrad && a.Accumulates(), b.RequiresGrad && b.Accumulates());
        Lanes.For(job, ValueBuffer.Blocks, Shape.ElementCount / 4);
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

        /// <summary>Rows along the last axis but one.</summary>
        public int RowCount { get; } = c.Padded(2).Size;

        /// <summary>How often the result has so many.</summary>
        public int Repeats { get; } = c.Padded(0).Size * c.Padded(1).Size;

        /// <summary>Whether rows that differ along that axis are different ones of a and of b.</summary>
        public bool HasRowsApart => strideA.S2 != 0 && strideB.S2 != 0;

        public int StepA { get; } = StrideIn(a, 3);

        public int StepB { get; } = StrideIn(b, 3);

        private readonly int size1 = c.Padded(1).Size;
        private readonly (int S0, int S1, int S2) strideA = (StrideIn(a, 0), StrideIn(a, 1), StrideIn(a, 2));
        private readonly (int S0, int S1, int S2) strideB = (StrideIn(b, 0), StrideIn(b, 1), StrideIn(b, 2));

        public (int A, int B, int C) this[int row]
        {
            get
            {
                var (rest, i2) = Math.DivRem(row, RowCount);
                var (i0, i1) = Math.DivRem(rest, size1);
                return (
                    i0 * strideA.S0 + i1 * strideA.S1 + i2 * strideA.S2,
                    i0 * strideB.S0 + i1 * strideB.S1 + i2 * strideB.S2,
                    row * RunLength);
            }
        }

        private static int StrideIn(Shape shape, int axis)
        {
            var (size, stride) = shape.Padded(axis);
            return size == 1 ? 0 : stride;
        }
    }

    private readonly unsafe struct ForwardRange(Binary<TRule> node) : ILanesJob
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        public void Run<TLanes>(int from, int to) where TLanes : struct, ILanes<TLanes>
        {
            fixed (float* a = node.a.ValueBuffer.Padded, b = node.b.ValueBuffer.Padded, c = node.ValueBuffer.Padded)
            {
                for (var i = from * Buffer.Block; i < to * Buffer.Block; i += TLanes.Width)
                {
                    TRule.Forward(TLanes.Load(a + i), TLanes.Load(b + i)).Store(c + i);
                }
            }
        }
    }

    private readonly unsafe struct BackwardRange(Binary<TRule> node, bool addToA, bool addToB) : ILanesJob
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        public void Run<TLanes>(int from, int to) where TLanes : struct, ILanes<TLanes>
        {
            var (a, b) = (node.a, node.b);
            fixed (float* av = a.ValueBuffer.Padded, bv = b.ValueBuffer.Padded, g = node.GradBuffer.Padded)
            fixed (float* ofA = a.RequiresGrad ? a.GradBuffer.Padded : [], ofB = b.RequiresGrad ? b.GradBuffer.Padded : [])
            {
                for (var i = from * Buffer.Block; i < to * Buffer.Block; i += TLanes.Width)
                {
                    var (x, y) = TRule.IsLinear ? default : (TLanes.Load(av + i), TLanes.Load(bv + i));
                    var gradient = TLanes.Load(g + i);
                    if (ofA is not null) Put(TRule.BackwardA(x, y, gradient), ofA + i, addToA);
                    if (ofB is not null) Put(TRule.BackwardB(x, y, gradient), ofB + i, addToB);
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Put<TLanes>(TLanes change, float* target, bool accumulate) where TLanes : struct, ILanes<TLanes> =>
            (accumulate ? TLanes.Load(target) + change : change).Store(target);
    }

    private readonly unsafe struct ForwardRows(Binary<TRule> node) : ILanesJob
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        public void Run<TLanes>(int from, int to) where TLanes : struct, ILanes<TLanes>
        {
            var axes = node.axes;
            fixed (float* a = node.a.V, b = node.b.V, c = node.V)
            {
                for (var row = from; row < to; row++)
                {
                    var run = axes[row];
                    var x = a + run.A;
                    var y = b + run.B;
                    var z = c + run.C;
                    var j = 0;
                    for (; j <= axes.RunLength - TLanes.Width; j += TLanes.Width) Part<TLanes>(axes, x, y, z, j, TLanes.Width);
                    if (j < axes.RunLength) Part<TLanes>(axes, x, y, z, j, axes.RunLength - j);
                }
            }
        }

        /// <summary>Some elements of a run that starts at the pointers.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Part<TLanes>(in Axes axes, float* a, float* b, float* c, int j, int count) where TLanes : struct, ILanes<TLanes> =>
            TRule.Forward(Load<TLanes>(a, axes.StepA, j, count), Load<TLanes>(b, axes.StepB, j, count)).StoreFirst(c + j, count);
    }

    /// <summary>Rows along the last axis but one, wherever they are repeated along the others.</summary>
    private readonly unsafe struct BackwardRows(Binary<TRule> node) : ILanesJob
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        public void Run<TLanes>(int from, int to) where TLanes : struct, ILanes<TLanes>
        {
            var (a, b, axes) = (node.a, node.b, node.axes);
            fixed (float* av = a.V, bv = b.V, g = node.G, ofA = a.RequiresGrad ? a.G : [], ofB = b.RequiresGrad ? b.G : [])
            {
                for (var repeat = 0; repeat < axes.Repeats; repeat++)
                {
                    for (var row = repeat * axes.RowCount + from; row < repeat * axes.RowCount + to; row++)
                    {
                        var run = axes[row];
                        var x = av + run.A;
                        var y = bv + run.B;
                        var gradient = g + run.C;
                        var toA = ofA is null ? null : ofA + run.A;
                        var toB = ofB is null ? null : ofB + run.B;
                        var j = 0;
                        for (; j <= axes.RunLength - TLanes.Width; j += TLanes.Width) Part<TLanes>(axes, x, y, gradient, toA, toB, j, TLanes.Width);
                        if (j < axes.RunLength) Part<TLanes>(axes, x, y, gradient, toA, toB, j, axes.RunLength - j);
                    }
                }
            }
        }

        /// <summary>Some elements of a run that starts at the pointers; null where no gradient is taken.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Part<TLanes>(in Axes axes, float* a, float* b, float* gradient, float* ofA, float* ofB, int j, int count)
            where TLanes : struct, ILanes<TLanes>
        {
            var (x, y) = TRule.IsLinear ? default : (Load<TLanes>(a, axes.StepA, j, count), Load<TLanes>(b, axes.StepB, j, count));
            var g = TLanes.LoadFirst(gradient + j, count);
            if (ofA is not null) Add(TRule.BackwardA(x, y, g), ofA, axes.StepA, j, count);
            if (ofB is not null) Add(TRule.BackwardB(x, y, g), ofB, axes.StepB, j, count);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Add<TLanes>(TLanes change, float* target, int step, int j, int count) where TLanes : struct, ILanes<TLanes>
        {
            if (step == 0)
            {
                *target += (change & TLanes.First(count)).Sum();
            }
            else
            {
                (TLanes.LoadFirst(target + j, count) + change).StoreFirst(target + j, count);
            }
        }
    }

    /// <summary>Some elements of a run, or one element repeated where the run's step is 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe TLanes Load<TLanes>(float* start, int step, int j, int count) where TLanes : struct, ILanes<TLanes> =>
        step == 0 ? *start : TLanes.LoadFirst(start + j, count);
}
