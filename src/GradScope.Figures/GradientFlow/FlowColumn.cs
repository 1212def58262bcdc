using System.Globalization;

namespace GradScope.Figures;

/// <summary>
/// The gradient flow for narrow places, from top to bottom: values run on a blue line downwards, gradients on an orange lane beside it
/// upwards, and each branch stands at their right, between the place where it reads the stream and the ⊕ where it writes to it.
/// </summary>
internal sealed class FlowColumn(GradientFlowFrame frame, FigureOptions options, DrawnMaps<(int Block, int Head)> maps) : FlowDrawing(frame, options, Sheet.ForNarrow(options.Theme), maps)
{
    private const double Stream = Sheet.Margin + 14, Lane = Stream + 36, Cards = Lane + 42, Apart = 62, Near = 40, Slim = 40, Inset = 20;

    protected override double Width => Sheet.Narrow;

    protected override double Flow(double top)
    {
        var y = top + (Frame.BackwardHasRun ? 44 : 64);
        var first = y;
        var places = new List<Place>();
        var start = End(Cards, y, Width - Sheet.Margin - Cards, "embedding", Embedding);
        y = Math.Max(start, y + 20);

        // The cards tell how long the stream is.
        foreach (var branch in Frame.Branches)
        {
            var detailed = IsDetailed(branch.Block);
            var card = y + (detailed || places.Count == 0 || places[^1].Detailed ? Apart : Near);
            y = detailed ? Card(branch, Cards, card, Width - Sheet.Margin - Cards) : Small(branch, card);
            places.Add(new(branch, card, y, detailed));
        }

        var end = y + Apart;
        Gradients(places, first, end);
        Values(places, first, end);
        for (var i = 0; i < Frame.Stations.Length; i++)
        {
            var above = i == 0 ? start : places[i - 1].Bottom;
            Station(Frame.Stations[i], above + 18, isNear: (i < places.Count ? places[i].Top : end) - above < Apart);
        }

        return Math.Max(Loss(end), End(Cards, end, Width - Sheet.Margin - Cards, "unembedding", Unembedding));
    }

    private double Small(Branch branch, double y)
    {
        Sheet.Rect(Cards, y, Width - Sheet.Margin - Cards, Slim, Tone.Rule.Stroke(), radius: 6);
        Sheet.Text(Cards + 12, y + 24, branch.IsAttention ? "attention" : "mlp", Face.Heading);
        Sheet.Text(Cards + 84, y + 24, string.Create(CultureInfo.InvariantCulture, $"block {branch.Block}"), Face.Note);
        if (branch.BranchShare is { } share) Sheet.Text(Width - Sheet.Margin - 12, y + 24, Numbers.Percent(share), Face.Number.In(share < 0 ? Tone.Negative : Tone.Gradient), Anchor.End);
        return y + Slim;
    }

    private void Gradients(IReadOnlyList<Place> places, double first, double end)
    {
        if (!Frame.BackwardHasRun)
        {
            Sheet.Text(Cards, first - 8, "backward has not run: no gradients yet", Face.Note);
            return;
        }

        // One veil over all ribbons: where they meet, the colour does not double.
        using (Sheet.Group(classes: Ribbons.Class))
        {
            var from = end;
            for (var i = places.Count - 1; i >= 0; i--)
            {
                var (place, branch) = (places[i], places[i].Branch);
                Ribbon($"M{Lane} {from}V{place.Copy}", Frame.Stations[i + 1]);
                var (copied, through) = (ThicknessOf(branch.OutputGradNorm), ThicknessOf(branch.BranchGradNorm));
                if (copied > 0)
                {
                    Sheet.Curve($"M{Lane} {place.Copy}V{place.Sum}", Tone.Gradient, copied, title: CopiedOn(branch));
                    Sheet.Curve($"M{Lane} {place.Copy}H{Cards}", Tone.Gradient, copied, title: CopiedInto(branch));
                }

                if (through > 0) Sheet.Curve($"M{Cards} {place.Sum}H{Lane}", Tone.Gradient, through, title: ComesBack(branch));
                from = place.Sum;
            }

            Ribbon($"M{Lane} {from}V{first}", Frame.Stations[0]);
        }

        foreach (var place in places)
        {
            if (place.Detailed)
            {
                Arrows.Head(Sheet, Cards - 12, place.Copy, 1, 0, Tone.Paper);
                Arrows.Head(Sheet, Lane + 16, place.Sum, -1, 0, Tone.Paper);
                Arrows.Head(Sheet, Lane, (place.Copy + place.Sum) / 2, 0, -1, Tone.Paper);
            }

            CopyNode(Lane, place.Copy, place.Detailed);
            SumNode(Lane, place.Sum, place.Detailed);
        }
    }

    private void Values(IReadOnlyList<Place> places, double first, double end)
    {
        Sheet.Line(Stream, first, Stream, end, Tone.Value, 2);
        foreach (var place in places)
        {
            Wire($"M{Stream} {place.Fork}H{Cards}M{Cards} {place.Add}H{Stream}");
            Arrows.Head(Sheet, Cards - 2, place.Fork, 1, 0, Tone.Value);
            Arrows.Head(Sheet, Stream + (place.Detailed ? 10 : 7), place.Add, -1, 0, Tone.Value);
            ForkNode(Stream, place.Fork);
            AddNode(Stream, place.Add, place.Detailed);
        }

        Arrows.Head(Sheet, Stream, end - 1, 0, 1, Tone.Value);
    }

    /// <summary>The norms between two branches, beside the lane; below the place's name where there is room.</summary>
    private void Station(Station station, double y, bool isNear)
    {
        if (isNear) y -= 11;
        else Sheet.Text(Cards, y, station.Name, Face.Number, fit: Width - Sheet.Margin - Cards);
        var value = $"‖x‖ {Numbers.Short(station.ValueNorm)}";
        Sheet.Text(Cards, y + 16, value, Face.Number.In(Tone.Value));
        if (station.GradNorm is not { } norm) return;

        Sheet.Text(Cards + Math.Max(84, Sheet.WidthOf(value, Face.Number) + 8), y + 16, $"‖∂L/∂x‖ {Numbers.Short(norm)}", Face.Number.In(double.IsFinite(norm) ? Tone.Gradient : Tone.Loss));
        if (GradientFlowFigure.Alarm(norm, Options) is { } alarm) Sheet.Text(Cards, y + (isNear ? 30 : 31), "⚠ " + alarm, Face.Note.In(Tone.Loss));
    }

    private double Loss(double y)
    {
        Sheet.Circle(Stream, y + 22, 16, Tone.Loss.Stroke());
        Sheet.Text(Stream, y + 26.5, "L", Face.Heading.In(Tone.Loss), Anchor.Middle);
        Sheet.Line(Stream, y, Stream, y + 5, Tone.Value, 2);
        Sheet.Text(Sheet.Margin - 2, y + 54, Numbers.Short(Frame.Loss) + " nats", Face.Number.In(Tone.Loss));
        if (Frame.BackwardHasRun)
        {
            Sheet.Curve($"M{Stream + 19} {y + 22}H{Lane - 8}q8 0 8 -8V{y + 3}", Tone.Gradient, 1.6);
            Arrows.Head(Sheet, Lane, y + 2, 0, -1, Tone.Gradient);
        }

        return y + 60;
    }

    /// <summary>Where a branch stands, and the four places where its lines meet the stream and the lane.</summary>
    private sealed record Place(Branch Branch, double Top, double Bottom, bool Detailed)
    {
        private double Side => Detailed ? Inset : 9;

        private double Shift => Detailed ? 9 : 4;

        public double Fork => Top + Side - Shift;

        public double Sum => Top + Side + Shift;

        public double Copy => Bottom - Side - Shift;

        public double Add => Bottom - Side + Shift;
    }
}
