namespace GradScope.Figures;

/// <summary>The words for the rows and columns of a node's map, where its place in the model tells them.</summary>
internal static class NodeSides
{
    /// <summary>The words of a map in which so many of the node's matrices stand beside each other; without tokens those that need none.</summary>
    public static (Side? Down, Side? Across) Of(TapeRow row, Cells cells, int matrices, IReadOnlyList<string> tokens, IReadOnlyList<string> vocabulary)
    {
        var (node, shape) = (row.Node, row.Node.Shape);
        var each = matrices > 1 ? (shape.Rank == 4 && shape[0] == 1 ? "head" : "matrix", cells.Columns / matrices) : default((string, int)?);
        if (shape.Rank == 4 && (row.IsCausal || (shape[^1] == tokens.Count && shape[^2] == tokens.Count)))
        {
            return (new("query", Texts(tokens, shape[^2], cells.RowBlock)), new("key", Texts(tokens, shape[^1], cells.ColumnBlock), each));
        }

        Side? down = node.Name == "embed.weight" && shape[0] == vocabulary.Count ? new("token", Texts(vocabulary, shape[0], cells.RowBlock))
            : shape.Rank == 3 && shape[0] == 1 && shape[1] == tokens.Count ? new("position", Texts(tokens, shape[1], cells.RowBlock))
            : null;
        Side? across = node.Name == "tokens" && shape[^1] == tokens.Count ? new("position", Texts(tokens, shape[^1], cells.ColumnBlock))
            : node.Name == "logits" && shape[^1] == vocabulary.Count ? new("token", Texts(vocabulary, shape[^1], cells.ColumnBlock))
            : each is null ? null : new(Each: each);
        return (down, across);

        static IReadOnlyList<string>? Texts(IReadOnlyList<string> texts, int count, int block) => block > 1 || texts.Count != count ? null : texts;
    }
}
