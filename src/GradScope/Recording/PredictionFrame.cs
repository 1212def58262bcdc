using System.Collections.Immutable;

namespace GradScope;

/// <summary>One position's prediction.</summary>
/// <param name="Token">The token that stands there.</param>
/// <param name="Target">The token asked for next; null where nothing is asked.</param>
/// <param name="Probabilities">softmax(logits), by token id.</param>
/// <param name="TargetId">The target's id; null where nothing is asked.</param>
public sealed record Prediction(string Token, string? Target, Tensor Probabilities, int? TargetId)
{
    /// <summary>The id with the largest probability.</summary>
    public int Best
    {
        get
        {
            var best = 0;
            for (var i = 1; i < Probabilities.Length; i++)
            {
                best = Probabilities[i] > Probabilities[best] ? i : best;
            }

            return best;
        }
    }

    /// <summary>Whether the best is the target; null where nothing is asked. Without finite probabilities there is no best, and it is wrong.</summary>
    public bool? IsRight => TargetId is { } id ? id == Best && float.IsFinite(Probabilities.Values[id]) : null;
}

/// <summary>What a model predicts at each position of one input.</summary>
public sealed record PredictionFrame(int Step, ImmutableArray<string> Vocabulary, ImmutableArray<Prediction> Positions)
{
    internal static PredictionFrame From(Frame frame)
    {
        var logits = frame.Tape["logits"].Value!.Slice(0);
        return new(frame.Step, frame.Vocabulary, [.. Enumerable.Range(0, frame.Tokens.Length).Select(At)]);

        Prediction At(int position)
        {
            var row = logits.Slice(position).Values;
            var max = double.NegativeInfinity;
            foreach (var x in row)
            {
                max = Math.Max(max, x);
            }

            var p = new double[row.Length];
            var sum = 0.0;
            for (var i = 0; i < row.Length; i++)
            {
                sum += p[i] = Math.Exp(row[i] - max);
            }

            var target = frame.Targets[position];
            return new(
                frame.Tokens[position], target,
                new Tensor([row.Length], [.. p.Select(x => (float)(x / sum))]),
                target is null ? null : frame.Vocabulary.IndexOf(target));
        }
    }
}
