using Microsoft.DotNet.Interactive.Formatting;

namespace GradScope.Interactive.Tests;

public class FormatterTests
{
    public FormatterTests() => Formatters.Register();

    public static TheoryData<object> Shown()
    {
        var model = new MiniTransformer(vocabSize: 5, modelDim: 8, heads: 2, contextLength: 6);
        var tape = model.Record([[1, 2, 3]], [[2, 3, 4]]);
        tape.Backward(tape["loss"]);
        var names = new Names(["ana", "ann", "nan", "anna"]);
        var trainer = new Trainer(new MiniTransformer(names.VocabSize, contextLength: 6), names) { BatchSize = 2, Probe = "anna" };
        trainer.Train(3);
        var frame = trainer.Look();
        return
        [
            model, tape, tape["blocks.0.attn.pattern"], model["embed.weight"], tape["logits"].Value, Recorder.Capture(model), Recorder.Capture(tape),
            frame, frame.Attention(), frame.GradientFlow(), frame.Predictions(), trainer, trainer.Run, tape.CheckGradients(), frame.Attention().ToFigure(),
        ];
    }

    [Theory]
    [MemberData(nameof(Shown))]
    public void Each_type_worth_showing_is_a_figure_in_html_and_has_a_summary_in_text(object value)
    {
        Assert.Equal(["text/html", "text/plain"], Formatter.GetPreferredMimeTypesFor(value.GetType()));
        var html = value.ToDisplayString("text/html");
        Assert.Contains("<svg", html);
        Assert.DoesNotContain("could not draw", html);
        var text = value.ToDisplayString("text/plain");
        Assert.DoesNotContain("GradScope.", text);
        Assert.True(text.Length > 20, text);
    }

    [Fact]
    public void One_number_is_shown_as_itself()
    {
        var tape = new Tape();
        var x = tape.Variable(3f, "x");
        var y = (x * x).As("y");
        tape.Backward(y);
        Assert.Equal("6", x.Grad.ToDisplayString("text/plain"));
        Assert.Equal("<code>y = 9</code>", y.ToDisplayString("text/html"));
    }

    [Fact]
    public void A_formatter_that_fails_shows_why_and_throws_nothing()
    {
        // A frame without what its figure needs.
        var names = new Names(["ana", "ann"]);
        var frame = new Trainer(new MiniTransformer(names.VocabSize, contextLength: 6), names) { Probe = "ana" }.Look();
        var broken = frame.GradientFlow() with { Stations = default };
        var html = broken.ToDisplayString("text/html");
        Assert.Contains("GradScope could not draw this GradientFlowFrame", html);
        Assert.Contains("GradScope could not draw", broken.ToDisplayString("text/plain"));
    }

    [Fact]
    public void Registering_twice_changes_nothing() => Assert.Equal(Formatters.Register(), Formatters.Register());

    [Fact]
    public void The_extension_says_in_a_line_what_it_added()
    {
        var line = GradScopeExtension.Load();
        Assert.Matches(@"^GradScope \d+\.\d+\.\d+\S*: figures for \d+ types", line);
        Assert.DoesNotContain('\n', line);
    }
}
