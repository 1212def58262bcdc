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
        var width = table.Shape[1];
        var source = table.V;
        var id = ids.V;
        var target = V;
        for (var i = 0; i < id.Length; i++)
        {
            source.Slice(TokenAt(id, i, table.Shape[0]) * width, width).CopyTo(target.Slice(i * width, width));
        }
    }

    internal override void Backward()
    {
        if (!table.RequiresGrad)
        {
            return;
        }

        var width = table.Shape[1];
        var target = table.G;
        var id = ids.V;
        var gradient = G;
        for (var i = 0; i < id.Length; i++)
        {
            var row = target.Slice((int)id[i] * width, width);
            TensorPrimitives.Add(row, gradient.Slice(i * width, width), row);
        }
    }

    private int TokenAt(ReadOnlySpan<float> id, int i, int count)
    {
        var token = (int)id[i];
        return token >= 0 && token < count && token == id[i]
            ? token
            : throw new ArgumentException(FormattableString.Invariant($"Rows: id {id[i]} at place {i} of {ids.Label} {ids.Shape} is not a row of {table.Label}, which has rows 0 to {count - 1}."));
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
