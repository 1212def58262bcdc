using System.Globalization;
using System.Text.RegularExpressions;

namespace GradScope.Figures;

/// <summary>One line of the tape figure: a node, or the heading of the part of the model that begins there.</summary>
/// <param name="Node">The node.</param>
/// <param name="Heading">Of the part that begins with this node; otherwise null.</param>
/// <param name="Prefix">What all names of the part begin with; it is left out in the row's texts.</param>
internal sealed partial record TapeRow(NodeFrame Node, string? Heading, string Prefix)
{
    /// <summary>
    /// The rows of a tape. Scalar constants that an operation's formula already shows as numbers have none; they remain in the
    /// table. A transformer's tape is divided into embedding, each block's branches, and unembedding.
    /// </summary>
    public static IReadOnlyList<TapeRow> Of(TapeFrame tape)
    {
        var rows = new List<TapeRow>();
        var hasBlocks = tape.Nodes.Any(n => n.Name is not null && BlockPath().IsMatch(n.Name));
        string? part = null;
        var prefix = "";
        foreach (var node in tape.Nodes)
        {
            if (node is { Kind: NodeKind.Constant, Name: null, Value.Length: 1 }) continue;

            var (newPart, newPrefix) = hasBlocks ? PartOf(node.Name, part, prefix) : (null, "");
            rows.Add(new(node, newPart == part ? null : newPart, newPrefix));
            (part, prefix) = (newPart, newPrefix);
        }

        return rows;
    }

    /// <summary>Whether keys after their queries are masked in this node.</summary>
    public bool IsCausal => Node.Formula.EndsWith("keys ≤ query", StringComparison.Ordinal);

    /// <summary>A name, formula or rule without the part's prefix and the word weight (which norms and embeddings keep: their outputs have their names), and with powers set high.</summary>
    public string Shorten(string text)
    {
        var shorter = Prefix.Length == 0 ? text : text.Replace(Prefix, "", StringComparison.Ordinal);
        return Power().Replace(
            Weight().Replace(shorter, ""),
            match => match.Value == "^1" ? "" : Numbers.Superscript(int.Parse(match.ValueSpan[1..], CultureInfo.InvariantCulture)));
    }

    private static (string? Part, string Prefix) PartOf(string? name, string? part, string prefix)
    {
        if (name is null) return (part ?? "embedding", prefix);

        var path = BlockPath().Match(name);
        if (!path.Success) return part is null or "embedding" ? ("embedding", "") : ("unembedding and loss", "");

        var block = path.Groups["block"].Value;
        return path.Groups["branch"].Value switch
        {
            "ln1" or "attn" => ($"block {block} · attention", $"blocks.{block}."),
            "ln2" or "mlp" => ($"block {block} · mlp", $"blocks.{block}."),
            _ => (part ?? "embedding", prefix.Length > 0 ? prefix : $"blocks.{block}."),
        };
    }

    [GeneratedRegex(@"^blocks\.(?<block>\d+)\.(?<branch>[^.]+)")]
    private static partial Regex BlockPath();

    [GeneratedRegex(@"(?<!\b(ln\d+|ln_final|embed|pos_embed))\.weight")]
    private static partial Regex Weight();

    [GeneratedRegex(@"\^-?\d{1,3}(?![\d.])")]
    private static partial Regex Power();
}
