using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace GradScope.Figures.Tests;

/// <summary>Figures say what the records say, and what is not there is said, not drawn as zero.</summary>
public sealed class ContentTests
{
    [Theory]
    [InlineData("tape-before-backward", "backward has not run")]
    [InlineData("flow-before-backward", "backward has not run")]
    [InlineData("attention-before-backward", "backward has not run")]
    public void Without_backward_no_gradient_is_drawn(string name, string said)
    {
        var figure = Gallery.Draw(name);
        Assert.Contains(said, figure.Svg);
        Assert.Contains(said, figure.Text, StringComparison.OrdinalIgnoreCase);
        var marks = XDocument.Parse(figure.Svg).Descendants().Where(e => e.Name.LocalName is "path" or "rect" or "circle" && ((string?)e.Attribute("class") ?? "").Split(' ').Any(c => c is "fg" or "sg"));
        Assert.Empty(marks);
    }

    [Fact]
    public void Tape_shows_values_and_gradients_of_micrograds_expression()
    {
        var figure = Trained.Micrograd().ToFigure();
        Assert.Contains("a: −4, gradient 139", figure.Text);
        Assert.Contains("b: 2, gradient 646", figure.Text);
        Assert.Contains("∂a += G · b   ∂b += G · a", Texts(figure));
        Assert.Contains("138.8338", figure.Html);
        Assert.Contains(Texts(figure), t => t.StartsWith("f = e²", StringComparison.Ordinal));
    }

    [Fact]
    public void Tape_divides_a_transformer_into_its_parts()
    {
        var texts = Texts(Trained.Teaching.Frame.Tape.ToFigure());
        string[] parts = ["embedding", "block 0 · attention", "block 0 · mlp", "block 1 · attention", "block 1 · mlp", "unembedding and loss"];
        Assert.Equal(parts, texts.Where(parts.Contains));
    }

    /// <summary>Paper is broken between a tape's parts: in a page each is an element of its own, one below the other.</summary>
    [Fact]
    public void Tape_of_a_transformer_stands_in_pieces_in_a_page()
    {
        var figure = Trained.Teaching.Frame.Tape.ToFigure();
        var (whole, pieces) = (XDocument.Parse(figure.Svg).Root!, XDocument.Parse(figure.Html).Descendants().Where(e => e.Name.LocalName == "svg").ToList());
        Assert.Equal(["Tape", "block 0 · attention", "block 0 · mlp", "block 1 · attention", "block 1 · mlp", "unembedding and loss"], pieces.Select(p => p.Elements().First().Value));
        Assert.Equal((double)whole.Attribute("height")!, pieces.Sum(p => (double)p.Attribute("height")!), 1);
        Assert.Equal(Texts(figure), pieces.SelectMany(Texts));
    }

    [Fact]
    public void Flow_shows_shares_that_sum_to_one_and_ribbons_that_are_copied()
    {
        var frame = Trained.Teaching.Frame.GradientFlow();
        var texts = Texts(frame.ToFigure());
        foreach (var branch in frame.Branches)
        {
            Assert.Equal(1, branch.BranchShare!.Value + branch.SkipShare!.Value, 12);
            Assert.Contains(Numbers.Percent(branch.BranchShare.Value), texts);
            Assert.Contains(Numbers.Percent(branch.SkipShare.Value), texts);
        }

        Assert.All(frame.Stations, s => Assert.Contains(Numbers.Short(s.GradNorm!.Value), texts));
    }

    [Fact]
    public void Flow_marks_what_works_against_and_what_vanishes()
    {
        var figure = Gallery.Draw("flow-vanishing");
        Assert.Contains("− works against", Texts(figure));
        Assert.Contains("⚠ vanishing", Texts(figure));
        Assert.Contains("⚠ no gradient", Texts(Gallery.Draw("flow-zero")));
        Assert.Contains("⚠ exploding", Texts(Gallery.Draw("flow-deep")));
        Assert.Contains(Texts(figure), t => t.Contains("below 10⁻⁶ or above 100", StringComparison.Ordinal));
    }

    [Fact]
    public void Attention_chooses_the_head_with_the_largest_gradient_unless_told()
    {
        var frame = Trained.Teaching.Frame.Attention();
        var (layer, head) = frame.Layers.SelectMany(l => new[] { 0, 1 }.Select(h => (l, h))).MaxBy(c => c.l.PatternGrad!.Slice(c.h).Norm());
        Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"layer {layer.Layer} head {head}, the one with the largest ‖∂L/∂A‖"), Texts(frame.ToFigure()));
        Assert.Contains("layer 0 head 0", Texts(frame.ToFigure(new() { Layer = 0, Head = 0 })));
        Assert.Throws<ArgumentOutOfRangeException>(() => frame.ToFigure(new() { Layer = 7 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => frame.ToFigure(new() { Head = 2 }));
    }

    [Fact]
    public void Masked_cells_are_hatched_and_have_no_number()
    {
        var titles = XDocument.Parse(Synthetic.Attention(Synthetic.Config with { LayerCount = 1, HeadCount = 1 }, ["x", "y", "z"]).ToFigure().Svg).Descendants().Where(e => e.Name.LocalName == "title").Select(e => e.Value).ToList();
        Assert.Equal(6, titles.Count(t => t.StartsWith("A: ", StringComparison.Ordinal)));
        Assert.DoesNotContain(titles, t => t.Contains("x (0) → y (1)", StringComparison.Ordinal));
    }

    [Fact]
    public void Large_maps_are_thinned_by_a_stated_rule()
    {
        Assert.Contains(Texts(Gallery.Draw("attention-large")), t => t.StartsWith("256 × 256 numbers drawn as 64 × 64 cells", StringComparison.Ordinal));
        var cells = Cells.Of(new Tensor([2, 4], 1, -5, 2, float.NaN, 0, 3, -1, 1)).Thin(1, 2);
        Assert.Equal((1, 2, 2, 2), (cells.Rows, cells.Columns, cells.RowBlock, cells.ColumnBlock));
        Assert.Equal(-5, cells[0, 0]);
        Assert.True(float.IsNaN(cells[0, 1]));
    }

    [Fact]
    public void Training_ends_lines_with_their_last_values_and_names_baselines()
    {
        var run = Trained.Teaching.Run;
        var texts = Texts(run.ToFigure());
        var smoothed = run.Metrics.TakeLast(8).Average(m => m.Loss);
        Assert.Contains($"{Numbers.Short(smoothed)} train", texts);
        Assert.Contains($"{Numbers.Short(run.Metrics[^1].ValidationLoss!.Value)} validation", texts);
        Assert.Contains(texts, t => t.Contains("the mean of the last 8 steps", StringComparison.Ordinal));
        Assert.Contains(texts, t => t.EndsWith("2.454", StringComparison.Ordinal));
        Assert.Matches("[▁▂▃▄▅▆▇█]{48}", run.ToFigure().Text);
    }

    /// <summary>As wide as the widest of them: here a number with a power of ten and the longest name.</summary>
    [Fact]
    public void Training_leaves_room_for_what_stands_at_the_ends_of_its_lines()
    {
        var run = Trained.Plain.Run;
        run = run with { Metrics = [.. run.Metrics.Select(m => m with { Loss = 1.84e-4, ValidationLoss = 1.84e-4 + 1e-12 * m.Step, LearningRate = 0.0137 })] };
        var svg = XDocument.Parse(run.ToFigure().Svg).Root!;
        var width = (double)svg.Attribute("width")!;
        var ends = svg.Descendants().Where(e => e.Name.LocalName == "text" && e.Value.EndsWith(" validation", StringComparison.Ordinal) && e.Value.StartsWith("1.84", StringComparison.Ordinal)).ToList();
        Assert.Equal("1.84·10⁻⁴ validation", Assert.Single(ends).Value);
        Assert.All(ends, e => Assert.True((double)e.Attribute("x")! + TextWidth.Of(e.Value, Face.Number, Theme.Default) <= width));
        Assert.Equal(2, Texts(run.ToFigure()).Count(t => t == "0.0137"));
    }

    [Fact]
    public void Predictions_of_a_large_vocabulary_say_what_is_drawn()
    {
        var texts = Texts(Synthetic.Predictions([.. Enumerable.Range(0, 65).Select(i => $"t{i}")]).ToFigure());
        Assert.Contains("Of 65 tokens the 3 likeliest are drawn.", texts);
        Assert.DoesNotContain(texts, t => t.StartsWith("every token's probability", StringComparison.Ordinal));
    }

    [Fact]
    public void Training_thins_to_its_pixels_and_marks_what_is_not_finite()
    {
        var texts = Texts(Gallery.Draw("training-long"));
        var drawn = Regex.Match(string.Join(' ', texts), @"5,000 steps in (\d+) pixels: a thin stroke goes from lowest to highest of up to (\d+) steps, a bold one of up to (\d+)\.");
        var (pixels, thin, bold) = (int.Parse(drawn.Groups[1].Value, null), int.Parse(drawn.Groups[2].Value, null), int.Parse(drawn.Groups[3].Value, null));
        Assert.Equal((Math.Ceiling(5000.0 / pixels), Math.Ceiling(5000.0 / (pixels / 4))), (thin, bold));
        Assert.Contains(texts, t => t.StartsWith("2 numbers are NaN or ∞", StringComparison.Ordinal));
        Assert.Contains("entropy of the source 1.600 (floor)", texts);
        Assert.Contains(Texts(Gallery.Draw("training-empty")), t => t == "No step was made yet.");
    }

    [Fact]
    public void Tensor_counts_what_is_not_finite()
    {
        var figure = Gallery.Draw("tensor-not-finite");
        Assert.Contains("1 NaN, 2 ∞", Texts(figure));
        Assert.Contains("3 NaN or ∞", figure.Text);
        Assert.Throws<ArgumentException>(() => TensorFigure.Draw(new Tensor([2], 1, 2), new Tensor([3], 1, 2, 3)));
    }

    [Fact]
    public void Model_counts_every_parameter_once()
    {
        var model = Trained.Teaching.Frame.Model;
        var texts = Texts(model.ToFigure());
        Assert.Contains($"{Numbers.Count(model.ParameterCount)} parameters", texts);
        Assert.Equal(2, texts.Count(t => t == Numbers.Count(model.CountBelow("blocks.0.attn") + model.CountBelow("blocks.0.ln1"))));
        Assert.Equal(2, texts.Count(t => t == Numbers.Count(model.CountBelow("blocks.0"))));
    }

    [Fact]
    public void Of_a_deep_model_each_block_is_drawn_and_one_with_its_parts()
    {
        var figure = Gallery.Draw("deep-model");
        var texts = Texts(figure);
        Assert.Equal(Enumerable.Range(0, 12).Select(b => $"block {b}"), texts.Where(t => t.StartsWith("block ", StringComparison.Ordinal)));
        Assert.Equal(12, texts.Count(t => t == Numbers.Count(Trained.Deep.Model.CountBelow("blocks.7"))));
        Assert.Single(texts, "wq");
        // In a page each has its own parts, with the names of its own parameters.
        Assert.Equal(12, Enumerable.Range(0, 12).Count(b => figure.Html.Contains($"<title>blocks.{b}.attn.wq.weight (96, 96)", StringComparison.Ordinal)));
    }

    [Fact]
    public void Predictions_mark_right_and_wrong()
    {
        var frame = Trained.Teaching.Frame.Predictions();
        var texts = Texts(frame.ToFigure());
        Assert.Equal(frame.Positions.Count(p => p.IsRight == true), texts.Count(t => t == "✓"));
        Assert.Equal(frame.Positions.Count(p => p.IsRight == false), texts.Count(t => t == "✗"));
    }

    [Fact]
    public void What_is_not_finite_is_told_and_never_right()
    {
        var texts = Texts(Gallery.Draw("predictions-nan"));
        Assert.Contains(texts, t => t.Contains("right at 0 of 8 positions", StringComparison.Ordinal));
        Assert.Equal(8, texts.Count(t => t == "no finite probability"));
        Assert.DoesNotContain("✓", texts);
        Assert.Contains("NaN", Texts(Gallery.Draw("flow-nan")));
        Assert.Contains("⚠ not finite", Texts(Gallery.Draw("flow-nan")));
        Assert.Contains(Texts(Gallery.Draw("attention-nan")), t => t.Contains("numbers are NaN or ∞", StringComparison.Ordinal));
        Assert.Contains("no finite number to draw", Texts(Gallery.Draw("training-nan")));
        Assert.Contains(Texts(Gallery.Draw("history-nan")), t => t.StartsWith("1,200 cells in the alarm colour", StringComparison.Ordinal));
    }

    /// <summary>A row above may have a larger error than the largest that is told: then it is said of which rows.</summary>
    [Theory]
    [InlineData(1e-9, "largest relative error 9·10⁻⁴")]
    [InlineData(0.02, "largest relative error 10⁻⁵, of the 1 whose differences are exact enough to tell")]
    public void A_gradient_check_says_of_which_rows_its_largest_error_is(double uncertainty, string said)
    {
        var check = new GradientCheck([new("a", "Add", [], 1 - 1e-5, 1, 1e-9), new("b", "Add", [], 1 - 9e-4, 1, uncertainty)]);
        Assert.EndsWith(said, GradientCheckFigure.Draw(check).Text.Split('\n').First(line => line.Contains("largest", StringComparison.Ordinal)).TrimEnd('.'));
    }

    [Fact]
    public void Gradients_that_are_zero_are_drawn_as_zero_and_marked()
    {
        Assert.Contains("⚠ no gradient", Texts(Gallery.Draw("flow-zero-real")));
        Assert.DoesNotContain(Texts(Gallery.Draw("attention-zero")), t => t.Contains("the one with the largest", StringComparison.Ordinal) || t == "−0");
        Assert.Contains(", gradient ‖·‖ 0", Gallery.Draw("tape-zero").Text);
    }

    internal static List<string> Texts(Figure figure) => Texts(XDocument.Parse(figure.Svg).Root!);

    private static List<string> Texts(XElement svg) =>
        [.. svg.Descendants().Where(e => e.Name.LocalName == "text").Select(e => string.Concat(e.DescendantNodes().OfType<XText>().Where(t => t.Parent!.Name.LocalName != "title").Select(t => t.Value)))];
}
