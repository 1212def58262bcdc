namespace GradScope.Figures;

/// <summary>A part of the tape that can be folded into one stop: its operations follow each other.</summary>
/// <param name="Name">Such as block 0 · attention.</param>
/// <param name="Operations">Its operations, in forward order.</param>
internal sealed record PlayedPart(string Name, IReadOnlyList<TapeRow> Operations)
{
    public NodeFrame Output => Operations[^1].Node;
}

/// <summary>What one backward step adds to one input.</summary>
/// <param name="Input">The input.</param>
/// <param name="Rule">How: such as G · Wᵀ.</param>
/// <param name="What">How much; null where the input has several uses and nobody watched them one by one.</param>
/// <param name="Part">Which of the input's uses this is, in backward order, from 1.</param>
/// <param name="Of">How many uses it has.</param>
internal sealed record Addition(NodeFrame Input, string Rule, Contribution? What, int Part, int Of)
{
    /// <summary>Whether the input's gradient is whole after this.</summary>
    public bool IsLast => Part == Of;
}

/// <summary>One backward step: an operation whose gradient is whole hands it on.</summary>
internal sealed record BackwardStep(TapeRow Operation, IReadOnlyList<Addition> Additions);

/// <summary>A recorded tape in the order in which it is played: operations forward, then the same backward from the loss.</summary>
internal sealed class PlayedTape
{
    public PlayedTape(TapeFrame tape)
    {
        Tape = tape;
        var rows = TapeRow.Of(tape);
        Rows = rows.ToDictionary(r => r.Node.Index);
        Parts = Divide(rows);
        Operations = [.. Parts.SelectMany(p => p.Operations)];
        Backward = tape.Loss is { } loss ? Follow(loss) : [];
    }

    public TapeFrame Tape { get; }

    /// <summary>All nodes but constants that stand as numbers in formulas, by index.</summary>
    public IReadOnlyDictionary<int, TapeRow> Rows { get; }

    public IReadOnlyList<PlayedPart> Parts { get; }

    public IReadOnlyList<TapeRow> Operations { get; }

    /// <summary>Empty where backward has not run.</summary>
    public IReadOnlyList<BackwardStep> Backward { get; }

    /// <summary>The step that teaches most: a linear map that completes a gradient of several parts; of those the one nearest to the loss.</summary>
    public BackwardStep? Example =>
        Backward.FirstOrDefault(s => s.Operation.Node.Operation == "Linear" && s.Additions.Any(a => a is { Of: > 1, IsLast: true, What: not null }))
        ?? Backward.FirstOrDefault(s => s.Additions.Any(a => a is { Of: > 1, IsLast: true, What: not null }))
        ?? Backward.FirstOrDefault(s => s.Additions.Count > 1)
        ?? Backward.FirstOrDefault();

    private static List<PlayedPart> Divide(IReadOnlyList<TapeRow> rows)
    {
        var parts = new List<(string Name, List<TapeRow> Operations)>();
        var name = "tape";
        foreach (var row in rows)
        {
            name = row.Heading ?? name;
            if (row.Node.Kind != NodeKind.Operation) continue;
            if (parts.Count == 0 || parts[^1].Name != name) parts.Add((name, []));
            parts[^1].Operations.Add(row);
        }

        return [.. parts.Select(p => new PlayedPart(p.Name, p.Operations))];
    }

    private List<BackwardStep> Follow(int loss)
    {
        var uses = new Dictionary<int, int>();
        var reached = new bool[Tape.Nodes.Length];
        reached[loss] = true;
        for (var i = loss; i >= 0; i--)
        {
            if (!reached[i]) continue;
            foreach (var input in Inputs(Tape.Nodes[i]))
            {
                reached[input.Index] = true;
                uses[input.Index] = uses.GetValueOrDefault(input.Index) + 1;
            }
        }

        var watched = Tape.Contributions.ToDictionary(c => (c.Node, c.Input));
        var done = new Dictionary<int, int>();
        var steps = new List<BackwardStep>();
        for (var i = loss; i >= 0; i--)
        {
            var node = Tape.Nodes[i];
            if (!reached[i] || node.Kind != NodeKind.Operation) continue;
            steps.Add(new(Rows[i], [.. Inputs(node).Select(Add)]));

            Addition Add(NodeFrame input)
            {
                var part = done[input.Index] = done.GetValueOrDefault(input.Index) + 1;
                var only = uses[input.Index] == 1;
                var what = watched.GetValueOrDefault((i, input.Index))
                    ?? (only && input.GradNorm is { } norm ? new(i, input.Index, norm, norm, input.Grad, input.Grad) : null);
                return new(input, Rule(node, input), what, part, uses[input.Index]);
            }
        }

        return steps;
    }

    /// <summary>The rule for an input; for one that is used twice both rules.</summary>
    private string Rule(NodeFrame node, NodeFrame input) => Rows[node.Index].Shorten(string.Join(" + ",
        node.Inputs.Zip(node.BackwardRule).Where(p => p.First == input.Index).Select(p => p.Second)));

    private IEnumerable<NodeFrame> Inputs(NodeFrame node) => node.Inputs.Distinct().Select(i => Tape.Nodes[i]).Where(n => n.RequiresGrad);
}
