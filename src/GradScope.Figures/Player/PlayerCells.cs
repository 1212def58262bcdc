namespace GradScope.Figures;

/// <summary>How a node's numbers lie in its map: leading matrices beside each other, large ones thinned.</summary>
internal sealed record PlayerCells(NodeFrame Node, int Matrices, int MaxRows, int MaxColumns, bool IsCausal)
{
    public const int MostMatrices = 4;

    private const int MostNumbers = 320_000;

    /// <summary>The layout for a node of a tape with so many nodes: the more there are, the fewer cells each has.</summary>
    public static PlayerCells Of(TapeRow row, int nodes)
    {
        var rows = Math.Clamp((int)Math.Sqrt(MostNumbers / (4.0 * nodes)), 8, 32);
        var shape = row.Node.Shape;
        var all = shape.Rank < 3 ? 1 : shape.Rows / shape[^2];
        return new(row.Node, Math.Min(all, MostMatrices), rows, 2 * rows, row.IsCausal);
    }

    /// <summary>How many of the node's matrices are left out.</summary>
    public int LeftOut => Node.Shape.Rank < 3 ? 0 : Node.Shape.Rows / Node.Shape[^2] - Matrices;

    public bool IsThinned => Node.Shape.Columns * Matrices > MaxColumns || (Node.Shape.Rank < 2 ? 1 : Node.Shape[^2]) > MaxRows;

    /// <summary>The cells of the node's value, its gradient, or a part of it.</summary>
    public Cells Of(Tensor tensor) => Cells.SideBySide(tensor, Matrices, IsCausal).ThinTogether(MaxRows, MaxColumns, Matrices);
}
