using System.Runtime.CompilerServices;

namespace GradScope.Operations;

/// <summary>
/// The mean, over the targets that are asked for, of −log softmax(logits)[target], in nats. Logits are (…, vocabulary), targets
/// (…) hold token ids, or −1 where nothing is asked. ∂logits += ∂y · (softmax(logits) − one-hot(target)) / number of targets.
/// </summary>
internal sealed class CrossEntropy : Node
{
    /// <summary>The target that asks for nothing.</summary>
    public const int Ignored = -1;

    private readonly Node logits;
    private readonly Node targets;
    private readonly Buffer probabilities;
    private readonly (double Loss, bool Correct)[] rows;

    public CrossEntropy(Node logits, Node targets)
        : base(logits.Tape, Shape.Scalar, logits, targets)
    {
        (this.logits, this.targets) = (logits, targets);
        if (logits.Shape.Rank < 1 || targets.Shape.ElementCount != logits.Shape.Rows || targets.RequiresGrad)
        {
            throw new ArgumentException($"CrossEntropy: {logits.Label} is {logits.Shape} and {targets.Label} is {targets.Shape}; the targets must be a constant with one token id for each row of logits, {logits.Shape.Rows} in all.");
        }

        probabilities = Arena.NewBuffer(logits.Shape.ElementCount);
        rows = new (double, bool)[targets.Shape.ElementCount];
    }

    public override string Formula => $"mean −log softmax({logits.Label})[{targets.Label}]";

    public override IReadOnlyList<string> BackwardRule => [$"G · (softmax({logits.Label}) − onehot({targets.Label})) / {Count}", "none: targets are whole numbers"];

    /// <summary>How many targets were asked for.</summary>
    public int Count { get; private set; }

    /// <summary>For how many of them the largest logit was the target.</summary>
    public int Correct { get; private set; }

    /// <summary>The loss before it is rounded to float32.</summary>
    public double ExactLoss { get; private set; }

    private protected override string OperationName => "CrossEntropy";

    internal override bool WritesWholeGradients => true;

    internal override void Forward()
    {
        CheckTargets();
        Lanes.For(new ForwardRows(this), rows.Length, 2L * logits.Shape.ElementCount);
        var ids = targets.V;
        var (sum, count, correct) = (0.0, 0, 0);
        for (var row = 0; row < rows.Length; row++)
        {
            if (ids[row] != Ignored)
            {
                sum += rows[row].Loss;
                count++;
                correct += rows[row].Correct ? 1 : 0;
            }
        }

        if (count == 0)
        {
            throw new ArgumentException($"CrossEntropy: {targets.Label} asks for nothing: all {ids.Length} targets are {Ignored}; give at least one token id.");
        }

        (Count, Correct, ExactLoss) = (count, correct, sum / count);
        V[0] = (float)ExactLoss;
    }

    internal override void Backward()
    {
        if (logits.RequiresGrad)
        {
            Lanes.For(new BackwardRows(this, logits.Accumulates()), rows.Length, logits.Shape.ElementCount / 2);
        }
    }

    /// <summary>Before threads share the rows, so that of several wrong ones the first is named.</summary>
    private void CheckTargets()
    {
        var ids = targets.V;
        var count = logits.Shape.Columns;
        for (var row = 0; row < ids.Length; row++)
        {
            var id = ids[row];
            if ((int)id != id || id < Ignored || id >= count)
            {
                throw new ArgumentException(FormattableString.Invariant($"CrossEntropy: target {id} at place {row} of {targets.Label} is not a token: the logits have ids 0 to {count - 1}, and −1 asks for nothing."));
            }
        }
    }

    /// <summary>Softmax, loss and hit of each row that has a target.</summary>
    private readonly unsafe struct ForwardRows(CrossEntropy node) : ILanesJob
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        public void Run<TLanes>(int from, int to) where TLanes : struct, ILanes<TLanes>
        {
            var columns = node.logits.Shape.Columns;
            fixed (float* logits = node.logits.V, probabilities = node.probabilities.Span)
            {
                for (var row = from; row < to; row++)
                {
                    var target = (int)node.targets.V[row];
                    if (target != Ignored)
                    {
                        node.rows[row] = Row<TLanes>(logits + row * columns, probabilities + row * columns, columns, target);
                    }
                }
            }
        }

        private static (double Loss, bool Correct) Row<TLanes>(float* x, float* p, int columns, int target) where TLanes : struct, ILanes<TLanes>
        {
            var (max, total) = VectorMath.Softmax<TLanes>(x, p, columns, columns);

            // Among equals the first is the prediction; of a row that holds a NaN there is none.
            var correct = x[target] == max && !float.IsNaN(total) && !new ReadOnlySpan<float>(x, target).Contains(max);
            return (Math.Log(total) - ((double)x[target] - max), correct);
        }
    }

    private readonly unsafe struct BackwardRows(CrossEntropy node, bool accumulate) : ILanesJob
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        public void Run<TLanes>(int from, int to) where TLanes : struct, ILanes<TLanes>
        {
            var columns = node.logits.Shape.Columns;
            var scale = node.G[0] / node.Count;
            fixed (float* ids = node.targets.V, probabilities = node.probabilities.Span, gradients = node.logits.G)
            {
                for (var row = from; row < to; row++)
                {
                    var gradient = gradients + row * columns;
                    var asked = ids[row] != Ignored;
                    for (var j = 0; j < columns; j += TLanes.Width)
                    {
                        var count = Math.Min(TLanes.Width, columns - j);
                        var change = asked ? TLanes.LoadFirst(probabilities + row * columns + j, count) * scale : default;
                        (accumulate ? TLanes.LoadFirst(gradient + j, count) + change : change).StoreFirst(gradient + j, count);
                    }

                    if (asked)
                    {
                        gradient[(int)ids[row]] -= scale;
                    }
                }
            }
        }
    }
}
