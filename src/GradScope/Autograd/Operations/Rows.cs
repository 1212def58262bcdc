using System.Numerics.Tensors;

namespace GradScope.Operations;

/// <summary>
/// y[…, :] = table[ids[…], :]: a row of the table for each id, which is how tokens become vectors. ∂table[id] += ∂y of each
/// place where the id stands; ids take no gradient.
/// </summary>
internal sealed class Rows : Node
{
    private readonly Node table;
    private readonly Node ids;

    public Rows(Node table, Node ids)
        : base(table.Tape, ResultShape(table, ids), table, ids) => (this.table, this.ids) = (table, ids);

    public override string Formula => $"{table.Label}[{ids.Label}]";

    public override IReadOnlyList<string> BackwardRule => [$"G, added to rows {ids.Label}", "none: ids are whole numbers"];

    private protected override string OperationName => "Rows";

    internal override void Forward()
    {
        CheckIds();
        var lookup = new Lookup(this);
        Workers.For(ref lookup, Shape.Rows, Shape.ElementCount / 4);
    }

    internal override void Backward()
    {
        if (!table.RequiresGrad)
        {
            return;
        }

        var addition = new Addition(this);
        Workers.For(ref addition, (Shape.Columns + Buffer.Block - 1) / Buffer.Block, Shape.ElementCount / 4);
    }

    /// <summary>Before threads share the rows, so that of several wrong ids the first is named.</summary>
    private void CheckIds()
    {
        var id = ids.V;
        var count = table.Shape[0];
        for (var i = 0; i < id.Length; i++)
        {
            var token = (int)id[i];
            if (token != id[i] || token < 0 || token >= count)
            {
                throw new ArgumentException(FormattableString.Invariant($"Rows: id {id[i]} at place {i} of {ids.Label} {ids.Shape} is not a row of {table.Label}, which has rows 0 to {count - 1}."));
            }
        }
    }

    /// <summary>Columns of the table's row that a place asks for, in the table's values or its gradient.</summary>
    private Span<float> RowAt(int place, Span<float> ofTable, int first, int count) => ofTable.Slice((int)ids.V[place] * Shape.Columns + first, count);

    /// <summary>y's rows.</summary>
    private readonly struct Lookup(Rows node) : IJob
    {
        public void Run(int from, int to)
        {
            var width = node.Shape.Columns;
            for (var i = from; i < to; i++) node.RowAt(i, node.table.V, 0, width).CopyTo(node.V.Slice(i * width, width));
        }
    }

    /// <summary>Columns of ∂table, a block of them a unit: one row may be looked up in several places, but a column's sums are one thread's.</summary>
    private readonly struct Addition(Rows node) : IJob
    {
        public void Run(int from, int to)
        {
            var first = from * Buffer.Block;
            var count = Math.Min(to * Buffer.Block, node.Shape.Columns) - first;
            for (var i = 0; i < node.Shape.Rows; i++)
            {
                var row = node.RowAt(i, node.table.G, first, count);
                TensorPrimitives.Add(row, node.G.Slice(i * node.Shape.Columns + first, count), row);
            }
        }
    }

    private static Shape ResultShape(Node table, Node ids)
    {
        if (table.Shape.Rank != 2)
        {
            throw new ArgumentException($"Rows: {table.Label} is {table.Shape}, but a table must have 2 dimensions, (rows, width).");
        }

        if (ids.Shape.Rank > 3 || ids.RequiresGrad)
        {
            throw new ArgumentException($"Rows: {ids.Label} {ids.Shape} must be a constant of at most 3 dimensions that holds whole numbers; make it with tape.Constant(…).");
        }

        return new Shape([.. ids.Shape, table.Shape[1]]);
    }
}
