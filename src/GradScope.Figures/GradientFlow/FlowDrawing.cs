using System.Globalization;

namespace GradScope.Figures;

/// <summary>
/// Lays the gradient flow out: values run on a blue line to the right, gradients on an orange lane below it to the left,
/// and each branch hangs under the place where it reads the stream and the ⊕ where it writes to it.
/// </summary>
internal sealed class FlowDrawing
{
    private const double CardWidth = 172, Gap = 16, SlimWidth = 64, SlimGap = 14, EndWidth = 148, EndGap = 40, Inset = 36, Offset = 9;
    private const double Thinnest = 2.5, Thickest = 14, Drop = 64;
    private const int MostDetailedLayers = 4;

    private readonly GradientFlowFrame frame;
    private readonly FigureOptions options;
    private readonly LogScale scale;
    private readonly List<Column> columns = [];
    private readonly Payload payload = new("maps");
    private readonly double left, right, width;
    private double stream, lane, cards;

    public FlowDrawing(GradientFlowFrame frame, FigureOptions options)
    {
        (this.frame, this.options) = (frame, options);
        Sheet = new(options.Theme);
        scale = LogScale.Of(
            [.. frame.Stations.Select(s => s.GradNorm), .. frame.Branches.SelectMany(b => (double?[])[b.OutputGradNorm, b.BranchGradNorm])],
            [.. frame.Model.Parameters.Select(p => p.GradNorm)]);

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
        width = right + EndWidth + Sheet.Margin;
    }

    public Sheet Sheet { get; }

    /// <summary>The heads' maps for a script to read; null where none is drawn.</summary>
    public Payload? Payload => payload.Head.Count > 0 ? payload : null;

    private int LayerCount => frame.Model.Config.LayerCount;

    private bool IsThinned => LayerCount > MostDetailedLayers;

    public (double Width, double Height) Draw()
    {
        var config = frame.Model.Config;
        Sheet.Header(
            width, GradientFlowFigure.TitleOf(options),
            string.Create(CultureInfo.InvariantCulture, $"step {frame.Step} · loss {Numbers.Short(frame.Loss)} nats · {Plural(config.LayerCount, "layer")} × {Plural(config.HeadCount, "head")} · width {config.ModelDim} · {Plural(frame.Tokens.Length, "position")}"));
        var top = Legend(Sheet.Top + 6);
        Tokens(top + 26);
        (stream, lane) = (top + 78, top + 116);
        cards = lane + Drop;

        Gradients();
        Values();
        Stations();
        var bottom = Ends();
        foreach (var column in columns)
        {
            bottom = Math.Max(bottom, column.Detailed ? new BranchCard(frame, Sheet, scale, column.Branch, payload).Draw(column.Left, cards, CardWidth) : Slim(column));
        }

        return (width, Notes(bottom + 10) + Sheet.Margin - 4);
    }

    private bool IsDetailed(int block) => !IsThinned || block == 0 || block == LayerCount - 1;

    private double ThicknessOf(double? norm) => norm is { } n ? n > 0 ? Thinnest + scale.At(n) * (Thickest - Thinnest) : 0 : 0;

    private static string Plural(int count, string noun) => Numbers.Count(count) + " " + noun + (count == 1 ? "" : "s");

    /// <summary>The lane of gradients: at ⊕ (=) the same gradient goes on and into the branch; where a branch reads (Σ), its part comes back.</summary>
    private void Gradients()
    {
        if (!frame.BackwardHasRun)
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
                Ribbon(end, column.Copy, frame.Stations[i + 1]);
                var (copied, through) = (ThicknessOf(branch.OutputGradNorm), ThicknessOf(branch.BranchGradNorm));
                if (copied > 0)
                {
                    Sheet.Curve($"M{column.Copy} {lane}H{column.Sum}", Tone.Gradient, copied, title: $"∂L/∂(skip) = ∂L/∂(sum), copied: ‖·‖ = {Numbers.Exact(branch.OutputGradNorm)}");
                    Sheet.Curve($"M{column.Copy + 14} {lane}q-14 0 -14 14V{cards}", Tone.Gradient, copied, title: $"∂L/∂({branch.Path}.out), the same gradient copied: ‖·‖ = {Numbers.Exact(branch.OutputGradNorm)}");
                }

                if (through > 0) Sheet.Curve($"M{column.Sum} {cards}V{lane + 14}q0 -14 -14 -14", Tone.Gradient, through, title: $"the part of ∂L/∂x that came back through {branch.Path}: ‖·‖ = {Numbers.Exact(branch.BranchGradNorm)}");
                end = column.Sum;
            }

            Ribbon(end, left - EndGap, frame.Stations[0]);
        }

        foreach (var column in columns)
        {
            if (column.Detailed)
            {
                Arrows.Head(Sheet, column.Copy, cards - 14, 0, 1, Tone.Paper);
                Arrows.Head(Sheet, column.Sum, cards - 22, 0, -1, Tone.Paper);
                Arrows.Head(Sheet, (column.Copy + column.Sum) / 2 - 3, lane, -1, 0, Tone.Paper);
            }

            Node(column.Copy, lane, "=", Tone.Gradient, column.Detailed, "backward copies: both inputs of ⊕ receive the same gradient");
            Node(column.Sum, lane, "Σ", Tone.Gradient, column.Detailed, "x was used twice: its two gradients add as vectors");
        }
    }

    private void Ribbon(double from, double to, Station station)
    {
        var thickness = ThicknessOf(station.GradNorm);
        if (thickness > 0) Sheet.Curve($"M{from} {lane}H{to}", Tone.Gradient, thickness, title: $"‖∂L/∂({station.Name})‖ = {Numbers.Exact(station.GradNorm)}");
        else Sheet.Curve($"M{from} {lane}H{to}", double.IsFinite(station.GradNorm ?? 0) ? Tone.Gradient : Tone.Loss, 1.5, "2 4", title: $"‖∂L/∂({station.Name})‖ = {Numbers.Exact(station.GradNorm)}");
    }

    private void Values()
    {
        Sheet.Line(left - EndGap, stream, right, stream, Tone.Value, 2);
        foreach (var column in columns)
        {
            // A halo of paper where the branch's line crosses the gradients.
            foreach (var (tone, thickness) in ((Tone, double)[])[(Tone.Paper, 6), (Tone.Value, 1.6)])
            {
                Sheet.Curve($"M{column.Fork} {stream}V{cards}M{column.Add} {cards}V{stream}", tone, thickness);
            }

            Arrows.Head(Sheet, column.Fork, cards - 3, 0, 1, Tone.Value);
            Arrows.Head(Sheet, column.Add, stream + (column.Detailed ? 10 : 7), 0, -1, Tone.Value);
            Sheet.Circle(column.Fork, stream, 3.5, Tone.Value.Fill(), "forward: the stream is read, a copy goes into the branch");
            Node(column.Add, stream, "+", Tone.Value, column.Detailed, "forward: the branch's output is added to the stream");
        }

        Arrows.Head(Sheet, right - 1, stream, 1, 0, Tone.Value);
    }

    private void Node(double x, double y, string sign, Tone tone, bool large, string title)
    {
        using (Sheet.Group(title: title))
        {
            Sheet.Circle(x, y, large ? 8 : 5, Tone.Paper.Fill());
            Sheet.Circle(x, y, large ? 8 : 5, tone.Stroke());
            if (large) Sheet.Text(x, y + 4, sign, Face.Number.In(tone), Anchor.Middle);
        }
    }

    /// <summary>The norms at each station: values above the line, gradients below the lane.</summary>
    private void Stations()
    {
        for (var i = 0; i < frame.Stations.Length; i++)
        {
            var station = frame.Stations[i];
            var from = i == 0 ? left - EndGap : columns[i - 1].Add;
            var to = i == columns.Count ? right : columns[i].Fork;
            if (to - from < 44) continue;

            var middle = (from + to) / 2;
            Sheet.Text(middle, stream - 9, Numbers.Short(station.ValueNorm), Face.Number.In(Tone.Value), Anchor.Middle, title: $"‖{station.Name}‖ = {Numbers.Exact(station.ValueNorm)}");
            if (station.GradNorm is not { } norm) continue;

            Sheet.Text(middle, lane + Thickest / 2 + 15, Numbers.Short(norm), Face.Number.In(Tone.Gradient), Anchor.Middle, title: $"‖∂L/∂({station.Name})‖ = {Numbers.Exact(norm)}", halo: true);
            if (GradientFlowFigure.Alarm(norm, options) is { } alarm)
            {
                Sheet.Text(middle, lane + Thickest / 2 + 30, "⚠ " + alarm, Face.Note.In(Tone.Loss), Anchor.Middle, halo: true);
            }
        }

        if (IsThinned) Alarms();
    }

    /// <summary>Alarms at stations that have no room for words.</summary>
    private void Alarms()
    {
        for (var i = 1; i < frame.Stations.Length - 1; i++)
        {
            if (columns[i].Fork - columns[i - 1].Add < 44 && GradientFlowFigure.Alarm(frame.Stations[i].GradNorm, options) is { } alarm)
            {
                Sheet.Text((columns[i - 1].Add + columns[i].Fork) / 2, lane + Thickest / 2 + 15, "⚠", Face.Note.In(Tone.Loss), Anchor.Middle, title: $"{frame.Stations[i].Name}: {alarm}");
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
        var first = frame.Model.Parameters.ToList().FindIndex(p => p.Name.StartsWith("blocks.", StringComparison.Ordinal));
        var before = frame.Model.Parameters.Take(Math.Max(0, first)).Select(p => p.Name).ToHashSet();
        Box(Sheet.Margin + EndWidth - 74, "embed", 74);
        Box(right, "unembed", 74);

        var loss = right + EndWidth - 22;
        Sheet.Line(right + 74, stream, loss - 19, stream, Tone.Value, 2);
        Arrows.Head(Sheet, loss - 17, stream, 1, 0, Tone.Value);
        Sheet.Circle(loss, stream, 16, Tone.Loss.Stroke());
        Sheet.Text(loss, stream + 4.5, "L", Face.Heading.In(Tone.Loss), Anchor.Middle);
        Sheet.Text(loss + 22, stream - 24, Numbers.Short(frame.Loss) + " nats", Face.Number.In(Tone.Loss), Anchor.End);
        if (frame.BackwardHasRun)
        {
            Sheet.Curve($"M{loss} {stream + 19}V{lane - 12}q0 12 -12 12H{right + 78}", Tone.Gradient, 1.6);
            Arrows.Head(Sheet, right + 77, lane, -1, 0, Tone.Gradient);
        }

        return Math.Max(
            End(Sheet.Margin, "embedding", frame.Ends.Where(p => before.Contains(p.Name))),
            End(right, "unembedding", frame.Ends.Where(p => !before.Contains(p.Name))));
    }

    private void Box(double x, string text, double boxWidth)
    {
        var (top, height) = (stream - 14, lane - stream + 28);
        Sheet.Rect(x, top, boxWidth, height, Tone.Paper.Fill(), radius: 6);
        Sheet.Rect(x, top, boxWidth, height, Tone.Rule.Stroke(), radius: 6);
        Sheet.Text(x + boxWidth / 2, top + height / 2 + 4, text, Face.Text, Anchor.Middle);
    }

    private double End(double x, string heading, IEnumerable<ParameterFrame> parameters)
    {
        var rows = NormBars.Rows(parameters, "");
        if (rows.Count == 0) return cards;

        Sheet.Text(x + 10, cards + 20, heading, Face.Heading);
        var bottom = NormBars.Draw(Sheet, scale, rows, x + 10, cards + 30, EndWidth - 20) + 8;
        Sheet.Rect(x, cards, EndWidth, bottom - cards, Tone.Rule.Stroke(), radius: 6);
        return bottom;
    }

    private void Tokens(double y)
    {
        var x = Sheet.Margin;
        Sheet.Text(x, y, "input", Face.Note);
        x += 44;
        for (var i = 0; i < frame.Tokens.Length; i++)
        {
            var token = TokenText.Show(frame.Tokens[i]);
            var room = Math.Min(Sheet.WidthOf(token, Face.Code), 120);
            if (x + room > width - 120)
            {
                Sheet.Text(x, y, $"… {Numbers.Count(frame.Tokens.Length - i)} more", Face.Note);
                return;
            }

            Sheet.Text(x, y, token, Face.Code, fit: room + 1);
            x += room + 10;
        }
    }

    /// <summary>Explains lines, widths and signs, in as many rows as the width asks for; answers the y below them.</summary>
    private double Legend(double y)
    {
        const double Space = 20;
        const string Forward = "values x, forward, with ‖x‖", Backward = "‖gradient‖, backward (log scale)";
        List<(double Width, Action<double> Draw)> items = [(38 + WidthOf(Forward), DrawForward)];
        if (frame.BackwardHasRun)
        {
            items.AddRange(scale.Ticks(4).Select(exponent => (19 + Sheet.WidthOf(Numbers.PowerOfTen(exponent), Face.Number), (Action<double>)(x => DrawWidth(x, exponent)))));
            items.Add((WidthOf(Backward), x => Label(x, Backward)));
            items.AddRange([Sign("=", "copied at ⊕"), Sign("Σ", "parts add as vectors")]);
        }

        var left = Sheet.Margin;
        foreach (var (itemWidth, draw) in items)
        {
            if (left + itemWidth > width - Sheet.Margin) (left, y) = (Sheet.Margin, y + 22);
            draw(left);
            left += itemWidth + Space;
        }

        return y + 10;

        double WidthOf(string text) => Sheet.WidthOf(text, Face.Note);

        void Label(double x, string text) => Sheet.Text(x, y + 4, text, Face.Note);

        void DrawForward(double x)
        {
            Sheet.Line(x, y, x + 30, y, Tone.Value, 2);
            Arrows.Head(Sheet, x + 30, y, 1, 0, Tone.Value);
            Label(x + 38, Forward);
        }

        void DrawWidth(double x, int exponent)
        {
            using (Sheet.Group(classes: Ribbons.Class)) Sheet.Line(x, y, x + 24, y, Tone.Gradient, ThicknessOf(Math.Pow(10, exponent)));
            Sheet.Text(x + 29, y + 4, Numbers.PowerOfTen(exponent), Face.Number.In(Tone.Muted));
        }

        (double, Action<double>) Sign(string sign, string text) => (22 + WidthOf(text), x => DrawSign(x, sign, text));

        void DrawSign(double x, string sign, string text)
        {
            Node(x + 8, y, sign, Tone.Gradient, true, text);
            Label(x + 22, text);
        }
    }

    private double Notes(double y)
    {
        List<string> notes = [];
        if (frame.BackwardHasRun)
        {
            notes.Add($"part of ∂L/∂x: a path's projection on the whole gradient where the branch reads the stream, ⟨g_path, g⟩ / ‖g‖²; branch and skip sum to 1. Bars and ribbons share the log scale; a hollow bar lies below it. ⚠ marks ‖∂L/∂x‖ below {Numbers.Short(options.VanishingBelow)} or above {Numbers.Short(options.ExplodingAbove)}.");
        }

        if (frame.BackwardHasRun && frame.Model.Config is { NormPlacement: NormPlacement.Post, Norm: not Norm.None })
        {
            notes.Add("Post-norm: a norm stands after each ⊕, so the gradient is another there than where the number is read.");
        }

        if (IsThinned) notes.Add($"Of {LayerCount} blocks the first and the last are drawn in full; all numbers are in the table.");
        return Sheet.Notes(Sheet.Margin, y, width - 2 * Sheet.Margin, [.. notes]);
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
