using System.Globalization;

namespace GradScope.Figures;

/// <summary>
/// The gradient flow from left to right: values run on a blue line to the right, gradients on an orange lane below it to the left,
/// and each branch hangs under the place where it reads the stream and the ⊕ where it writes to it.
/// </summary>
internal sealed class FlowRow : FlowDrawing
{
    private const double CardWidth = 172, Gap = 16, SlimWidth = 64, SlimGap = 14, EndWidth = 148, EndGap = 40, Inset = 36, Offset = 9, Drop = 64;

    private readonly List<Column> columns = [];
    private readonly double left, right;
    private double stream, lane, cards;

    public FlowRow(GradientFlowFrame frame, FigureOptions options, DrawnMaps<(int Block, int Head)> maps)
        : base(frame, options, new(options.Theme), maps)
    {
        left = Sheet.Margin + EndWidth + EndGap;
        var x = left;
        foreach (var branch in frame.Branches)
        {
            var detailed = IsDetailed(branch.Block);
            var column = new Column(branch, x, detailed ? CardWidth : SlimWidth, detailed);
            columns.Add(column);
            x = column.Right + (detailed ? Gap : SlimGap);
        }

        right = x - columns[^1].GapAfter + EndGap;
    }

    protected override double Width => right + EndWidth + Sheet.Margin;

    protected override double Flow(double top)
    {
        (stream, lane) = (top + 78, top + 116);
        cards = lane + Drop;

        Gradients();
        Values();
        Stations();
        var bottom = Ends();
        foreach (var column in columns)
        {
            bottom = Math.Max(bottom, column.Detailed ? Card(column.Branch, column.Left, cards, CardWidth) : Slim(column));
        }

        return bottom;
    }

    /// <summary>The lane of gradients: at ⊕ (=) the same gradient goes on and into the branch; where a branch reads (Σ), its part comes back.</summary>
    private void Gradients()
    {
        if (!Frame.BackwardHasRun)
        {
            Sheet.Text((left + right) / 2, lane + 4, "backward has not run: no gradients yet", Face.Note, Anchor.Middle);
            return;
        }

        // One veil over all ribbons: where they meet, the colour does not double.
        using (Sheet.Group(classes: Ribbons.Class))
        {
            var end = right;
            for (var i = columns.Count - 1; i >= 0; i--)
            {
                var (column, branch) = (columns[i], columns[i].Branch);
                Ribbon($"M{end} {lane}H{column.Copy}", Frame.Stations[i + 1]);
                var (copied, through) = (ThicknessOf(branch.OutputGradNorm), ThicknessOf(branch.BranchGradNorm));
                if (copied > 0)
                {
                    Sheet.Curve($"M{column.Copy} {lane}H{column.Sum}", Tone.Gradient, copied, title: CopiedOn(branch));
                    Sheet.Curve($"M{column.Copy + 14} {lane}q-14 0 -14 14V{cards}", Tone.Gradient, copied, title: CopiedInto(branch));
                }

                if (through > 0) Sheet.Curve($"M{column.Sum} {cards}V{lane + 14}q0 -14 -14 -14", Tone.Gradient, through, title: ComesBack(branch));
                end = column.Sum;
            }

            Ribbon($"M{end} {lane}H{left - EndGap}", Frame.Stations[0]);
        }

        foreach (var column in columns)
        {
            if (column.Detailed)
            {
                Arrows.Head(Sheet, column.Copy, cards - 14, 0, 1, Tone.Paper);
                Arrows.Head(Sheet, column.Sum, cards - 22, 0, -1, Tone.Paper);
                Arrows.Head(Sheet, (column.Copy + column.Sum) / 2 - 3, lane, -1, 0, Tone.Paper);
            }

            CopyNode(column.Copy, lane, column.Detailed);
            SumNode(column.Sum, lane, column.Detailed);
        }
    }

    private void Values()
    {
        Sheet.Line(left - EndGap, stream, right, stream, Tone.Value, 2);
        foreach (var column in columns)
        {
            Wire($"M{column.Fork} {stream}V{cards}M{column.Add} {cards}V{stream}");
            Arrows.Head(Sheet, column.Fork, cards - 3, 0, 1, Tone.Value);
            Arrows.Head(Sheet, column.Add, stream + (column.Detailed ? 10 : 7), 0, -1, Tone.Value);
            ForkNode(column.Fork, stream);
            AddNode(column.Add, stream, column.Detailed);
        }

        Arrows.Head(Sheet, right - 1, stream, 1, 0, Tone.Value);
    }

    /// <summary>The norms at each station: values above the line, gradients below the lane.</summary>
    private void Stations()
    {
        for (var i = 0; i < Frame.Stations.Length; i++)
        {
            var station = Frame.Stations[i];
            var from = i == 0 ? left - EndGap : columns[i - 1].Add;
            var to = i == columns.Count ? right : columns[i].Fork;
            if (to - from < 44) continue;

            var middle = (from + to) / 2;
            Sheet.Text(middle, stream - 9, Numbers.Short(station.ValueNorm), Face.Number.In(Tone.Value), Anchor.Middle, title: $"‖{station.Name}‖ = {Numbers.Exact(station.ValueNorm)}");
            if (station.GradNorm is not { } norm) continue;

            Sheet.Text(middle, lane + Thickest / 2 + 15, Numbers.Short(norm), Face.Number.In(Tone.Gradient), Anchor.Middle, title: $"‖∂L/∂({station.Name})‖ = {Numbers.Exact(norm)}", halo: true);
            if (GradientFlowFigure.Alarm(norm, Options) is { } alarm)
            {
                Sheet.Text(middle, lane + Thickest / 2 + 30, "⚠ " + alarm, Face.Note.In(Tone.Loss), Anchor.Middle, halo: true);
            }
        }

        if (IsThinned) Alarms();
    }

    /// <summary>Alarms at stations that have no room for words.</summary>
    private void Alarms()
    {
        for (var i = 1; i < Frame.Stations.Length - 1; i++)
        {
            if (columns[i].Fork - columns[i - 1].Add < 44 && GradientFlowFigure.Alarm(Frame.Stations[i].GradNorm, Options) is { } alarm)
            {
                Sheet.Text((columns[i - 1].Add + columns[i].Fork) / 2, lane + Thickest / 2 + 15, "⚠", Face.Note.In(Tone.Loss), Anchor.Middle, title: $"{Frame.Stations[i].Name}: {alarm}");
            }
        }
    }

    private double Slim(Column column)
    {
        var branch = column.Branch;
        Sheet.Rect(column.Left, cards, SlimWidth, 52, Tone.Rule.Stroke(), radius: 6, title: $"{branch.Path}: share {Numbers.Exact(branch.BranchShare)}");
        var middle = column.Left + SlimWidth / 2;
        Sheet.Text(middle, cards + 17, branch.IsAttention ? "attn" : "mlp", Face.Text, Anchor.Middle);
        Sheet.Text(middle, cards + 31, string.Create(CultureInfo.InvariantCulture, $"block {branch.Block}"), Face.Note, Anchor.Middle);
        if (branch.BranchShare is { } share)
        {
            Sheet.Text(middle, cards + 45, Numbers.Percent(share), Face.Number.In(share < 0 ? Tone.Negative : Tone.Gradient), Anchor.Middle);
        }

        return cards + 52;
    }

    /// <summary>Embedding on the left, unembedding and loss on the right, each with its parameters.</summary>
    private double Ends()
    {
        Box(Sheet.Margin + EndWidth - 74, "embed", 74);
        Box(right, "unembed", 74);

        var loss = right + EndWidth - 22;
        Sheet.Line(right + 74, stream, loss - 19, stream, Tone.Value, 2);
        Arrows.Head(Sheet, loss - 17, stream, 1, 0, Tone.Value);
        Sheet.Circle(loss, stream, 16, Tone.Loss.Stroke());
        Sheet.Text(loss, stream + 4.5, "L", Face.Heading.In(Tone.Loss), Anchor.Middle);
        Sheet.Text(loss + 22, stream - 24, Numbers.Short(Frame.Loss) + " nats", Face.Number.In(Tone.Loss), Anchor.End);
        if (Frame.BackwardHasRun)
        {
            Sheet.Curve($"M{loss} {stream + 19}V{lane - 12}q0 12 -12 12H{right + 78}", Tone.Gradient, 1.6);
            Arrows.Head(Sheet, right + 77, lane, -1, 0, Tone.Gradient);
        }

        return Math.Max(End(Sheet.Margin, cards, EndWidth, "embedding", Embedding), End(right, cards, EndWidth, "unembedding", Unembedding));
    }

    private void Box(double x, string text, double boxWidth)
    {
        var (top, height) = (stream - 14, lane - stream + 28);
        Sheet.Rect(x, top, boxWidth, height, Tone.Paper.Fill(), radius: 6);
        Sheet.Rect(x, top, boxWidth, height, Tone.Rule.Stroke(), radius: 6);
        Sheet.Text(x + boxWidth / 2, top + height / 2 + 4, text, Face.Text, Anchor.Middle);
    }

    /// <summary>Where a branch stands, and the four places where its lines meet the stream and the lane.</summary>
    private sealed record Column(Branch Branch, double Left, double Width, bool Detailed)
    {
        private double Side => Detailed ? Inset : 14;

        private double Shift => Detailed ? Offset : 6;

        public double Right => Left + Width;

        public double GapAfter => Detailed ? Gap : SlimGap;

        public double Fork => Left + Side - Shift;

        public double Sum => Left + Side + Shift;

        public double Copy => Right - Side - Shift;

        public double Add => Right - Side + Shift;
    }
}
