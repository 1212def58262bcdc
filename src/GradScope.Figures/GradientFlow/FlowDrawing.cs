using System.Globalization;

namespace GradScope.Figures;

/// <summary>What the drawings of a gradient flow have in common, whichever way it runs.</summary>
internal abstract class FlowDrawing
{
    protected const double Thinnest = 2.5, Thickest = 14;
    private const int MostDetailedLayers = 4, MostHeads = 4, MostHeadsNarrow = 2;

    private readonly DrawnMaps<(int Block, int Head)> maps;

    protected FlowDrawing(GradientFlowFrame frame, FigureOptions options, Sheet sheet, DrawnMaps<(int Block, int Head)> maps)
    {
        (Frame, Options, this.maps) = (frame, options, maps);
        Sheet = sheet;
        Scale = LogScale.Of(
            [.. frame.Stations.Select(s => s.GradNorm), .. frame.Branches.SelectMany(b => (double?[])[b.OutputGradNorm, b.BranchGradNorm])],
            [.. frame.Model.Parameters.Select(p => p.GradNorm)]);
    }

    protected GradientFlowFrame Frame { get; }

    protected FigureOptions Options { get; }

    protected Sheet Sheet { get; }

    /// <summary>The scale of all ribbons and bars.</summary>
    protected LogScale Scale { get; }

    /// <summary>How wide the whole is.</summary>
    protected abstract double Width { get; }

    protected bool IsThinned => LayerCount > MostDetailedLayers;

    private int LayerCount => Frame.Model.Config.LayerCount;

    public Drawing Draw()
    {
        var config = Frame.Model.Config;
        Sheet.Header(
            Width, GradientFlowFigure.TitleOf(Options),
            string.Create(CultureInfo.InvariantCulture, $"step {Frame.Step} · loss {Numbers.Short(Frame.Loss)} nats · {Plural(config.LayerCount, "layer")} × {Plural(config.HeadCount, "head")} · width {config.ModelDim} · {Plural(Frame.Tokens.Length, "position")}"));
        var top = Legend(Sheet.Top + 6);
        Tokens(top + 26);
        return new(Sheet, Width, Notes(Flow(top) + 10) + Sheet.Margin - 4);
    }

    /// <summary>Draws the flow itself below a line of tokens; answers the y below it.</summary>
    protected abstract double Flow(double top);

    protected bool IsDetailed(int block) => !IsThinned || block == 0 || block == LayerCount - 1;

    protected double ThicknessOf(double? norm) => norm is { } n ? n > 0 ? Thinnest + Scale.At(n) * (Thickest - Thinnest) : 0 : 0;

    protected double Card(Branch branch, double x, double y, double width) => new BranchCard(Frame, Sheet, Scale, branch, maps, IsThinned && Width <= Sheet.Narrow ? MostHeadsNarrow : MostHeads).Draw(x, y, width);

    /// <summary>The gradient on a part of the stream, from one point to another, one of which is straight below or beside the other.</summary>
    protected void Ribbon(PathText path, Station station)
    {
        var thickness = ThicknessOf(station.GradNorm);
        var title = $"‖∂L/∂({station.Name})‖ = {Numbers.Exact(station.GradNorm)}";
        if (thickness > 0) Sheet.Curve(path, Tone.Gradient, thickness, title: title);
        else Sheet.Curve(path, double.IsFinite(station.GradNorm ?? 0) ? Tone.Gradient : Tone.Loss, 1.5, "2 4", title: title);
    }

    /// <summary>A branch's line of values: a halo of paper where it crosses the gradients.</summary>
    protected void Wire(PathText path)
    {
        foreach (var (tone, thickness) in ((Tone, double)[])[(Tone.Paper, 6), (Tone.Value, 1.6)]) Sheet.Curve(path, tone, thickness);
    }

    protected void Node(double x, double y, string sign, Tone tone, bool large, string title)
    {
        using (Sheet.Group(title: title))
        {
            Sheet.Circle(x, y, large ? 8 : 5, Tone.Paper.Fill());
            Sheet.Circle(x, y, large ? 8 : 5, tone.Stroke());
            if (large) Sheet.Text(x, y + 4, sign, Face.Number.In(tone), Anchor.Middle);
        }
    }

    protected void CopyNode(double x, double y, bool large) => Node(x, y, "=", Tone.Gradient, large, "backward copies: both inputs of ⊕ receive the same gradient");

    protected void SumNode(double x, double y, bool large) => Node(x, y, "Σ", Tone.Gradient, large, "x was used twice: its two gradients add as vectors");

    protected void AddNode(double x, double y, bool large) => Node(x, y, "+", Tone.Value, large, "forward: the branch's output is added to the stream");

    protected void ForkNode(double x, double y) => Sheet.Circle(x, y, 3.5, Tone.Value.Fill(), "forward: the stream is read, a copy goes into the branch");

    protected static string CopiedInto(Branch branch) => $"∂L/∂({branch.Path}.out), the same gradient copied: ‖·‖ = {Numbers.Exact(branch.OutputGradNorm)}";

    protected static string CopiedOn(Branch branch) => $"∂L/∂(skip) = ∂L/∂(sum), copied: ‖·‖ = {Numbers.Exact(branch.OutputGradNorm)}";

    protected static string ComesBack(Branch branch) => $"the part of ∂L/∂x that came back through {branch.Path}: ‖·‖ = {Numbers.Exact(branch.BranchGradNorm)}";

    /// <summary>The parameters before the first block.</summary>
    protected IEnumerable<ParameterFrame> Embedding => Frame.Ends.Where(IsBefore);

    /// <summary>The parameters after the last block.</summary>
    protected IEnumerable<ParameterFrame> Unembedding => Frame.Ends.Where(p => !IsBefore(p));

    private bool IsBefore(ParameterFrame parameter)
    {
        var names = Frame.Model.Parameters.Select(p => p.Name).ToList();
        return names.IndexOf(parameter.Name) < names.FindIndex(n => n.StartsWith("blocks.", StringComparison.Ordinal));
    }

    /// <summary>A card of the parameters at one end of the model; answers the y below it, or the given where there are none.</summary>
    protected double End(double x, double y, double width, string heading, IEnumerable<ParameterFrame> parameters)
    {
        var rows = NormBars.Rows(parameters, "");
        if (rows.Count == 0) return y;

        Sheet.Text(x + 10, y + 20, heading, Face.Heading);
        var bottom = NormBars.Draw(Sheet, Scale, rows, x + 10, y + 30, width - 20) + 8;
        Sheet.Rect(x, y, width, bottom - y, Tone.Rule.Stroke(), radius: 6);
        return bottom;
    }

    private static string Plural(int count, string noun) => Numbers.Count(count) + " " + noun + (count == 1 ? "" : "s");

    private void Tokens(double y)
    {
        var x = Sheet.Margin;
        Sheet.Text(x, y, "input", Face.Note);
        x += 44;
        for (var i = 0; i < Frame.Tokens.Length; i++)
        {
            var token = TokenText.Show(Frame.Tokens[i]);
            var room = Math.Min(Sheet.WidthOf(token, Face.Code), 120);
            if (x + room > Width - 120)
            {
                Sheet.Text(x, y, $"… {Numbers.Count(Frame.Tokens.Length - i)} more", Face.Note);
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
        if (Frame.BackwardHasRun)
        {
            items.AddRange(Scale.Ticks(4).Select(exponent => (19 + Sheet.WidthOf(Numbers.PowerOfTen(exponent), Face.Number), (Action<double>)(x => DrawWidth(x, exponent)))));
            items.Add((WidthOf(Backward), x => Label(x, Backward)));
            items.AddRange([Sign("=", "copied at ⊕"), Sign("Σ", "parts add as vectors")]);
        }

        var left = Sheet.Margin;
        foreach (var (itemWidth, draw) in items)
        {
            if (left + itemWidth > Width - Sheet.Margin) (left, y) = (Sheet.Margin, y + 22);
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
        if (Frame.BackwardHasRun)
        {
            notes.Add($"part of ∂L/∂x: a path's projection on the whole gradient where the branch reads the stream, ⟨g_path, g⟩ / ‖g‖²; branch and skip sum to 1. Bars and ribbons share the log scale; a hollow bar lies below it. ⚠ marks ‖∂L/∂x‖ below {Numbers.Short(Options.VanishingBelow)} or above {Numbers.Short(Options.ExplodingAbove)}.");
        }

        if (Frame.BackwardHasRun && Frame.Model.Config is { NormPlacement: NormPlacement.Post, Norm: not Norm.None })
        {
            notes.Add("Post-norm: a norm stands after each ⊕, so the gradient is another there than where the number is read.");
        }

        if (IsThinned) notes.Add($"Of {LayerCount} blocks the first and the last are drawn in full; all numbers are in the table.");
        return Sheet.Notes(Sheet.Margin, y, Width - 2 * Sheet.Margin, [.. notes]);
    }
}
