using System.Numerics.Tensors;

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

    public CrossEntropy(Node logits, Node targets)
        : base(logits.Tape, Shape.Scalar, logits, targets)
    {
        (this.logits, this.targets) = (logits, targets);
        if (logits.Shape.Rank < 1 || targets.Shape.ElementCount != logits.Shape.Rows || targets.RequiresGrad)
        {
            throw new ArgumentException($"CrossEntropy: {logits.Label} is {logits.Shape} and {targets.Label} is {targets.Shape}; the targets must be a constant with one token id for each row of logits, {logits.Shape.Rows} in all.");
        }

        var (array, offset) = Arena.NewArray(logits.Shape.ElementCount);
        probabilities = new(array, offset, logits.Shape.ElementCount);
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

    internal override void Forward()
    {
        var columns = logits.Shape.Columns;
        var ids = targets.V;
        var (sum, count, correct) = (0.0, 0, 0);
        for (var row = 0; row < ids.Length; row++)
        {
            var target = TargetAt(ids, row, columns);
            if (target == Ignored)
            {
                continue;
            }

            var source = logits.V.Slice(row * columns, columns);
            var p = probabilities.Span.Slice(row * columns, columns);
            var max = TensorPrimitives.Max<float>(source);
            TensorPrimitives.Subtract(source, max, p);
            TensorPrimitives.Exp(p, p);
            var total = TensorPrimitives.Sum<float>(p);
            TensorPrimitives.Multiply(p, 1 / total, p);
            sum += Math.Log(total) - ((double)source[target] - max);
            count++;
            correct += TensorPrimitives.IndexOfMax<float>(source) == target ? 1 : 0;
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
        if (!logits.RequiresGrad)
        {
            return;
        }

        var columns = logits.Shape.Columns;
        var ids = targets.V;
        var scale = G[0] / Count;
        for (var row = 0; row < ids.Length; row++)
        {
            if (ids[row] == Ignored)
            {
                continue;
            }

            var gradient = logits.G.Slice(row * columns, columns);
            TensorPrimitives.MultiplyAdd(probabilities.Span.Slice(row * columns, columns), scale, gradient, gradient);
            gradient[(int)ids[row]] -= scale;
        }
    }

    private int TargetAt(ReadOnlySpan<float> ids, int row, int count)
    {
        var target = (int)ids[row];
        return target == ids[row] && target >= Ignored && target < count
            ? target
            : throw new ArgumentException(FormattableString.Invariant($"CrossEntropy: target {ids[row]} at place {row} of {targets.Label} is not a token: the logits have ids 0 to {count - 1}, and −1 asks for nothing."));
    }
}
