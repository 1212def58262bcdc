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
            model.Blocks[0], model.Blocks[0].Attention, model.Blocks[0].Mlp!, model.Blocks[0].Norm1, model.Blocks[0].Attention.Wq,
            model.Blocks, model.Parameters, tape.Nodes, new List<Tensor> { tape["logits"].Value, tape["embed"].Value }, new[] { tape["logits"], tape["embed"] },
            trainer.Run.Frames, new[] { trainer.Run }, new List<GradientCheck> { tape.CheckGradients() }, new[] { model },
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
    public void Of_a_list_the_first_eight_are_shown_and_one_that_fails_hides_none()
    {
        var tensors = Enumerable.Range(0, 11).Select(i => Tensor.Normal([2, 2], seed: (ulong)i + 1)).ToList();
        Assert.Equal(8, tensors.ToDisplayString("text/html").Split("<svg").Length - 1);
        Assert.Contains("… and 3 more", tensors.ToDisplayString("text/html"));
        Assert.EndsWith("… and 3 more", tensors.ToDisplayString("text/plain"));
        Assert.Equal("(none)", new List<Tensor>().ToDisplayString("text/plain"));

        var flow = Trained.Frame.GradientFlow();
        var html = new[] { flow with { Stations = default }, flow }.ToDisplayString("text/html");
        Assert.Contains("could not draw this GradientFlowFrame", html);
        Assert.Contains("<svg", html);
    }

    [Fact]
    public void A_part_of_a_model_is_shown_with_its_path_and_what_is_frozen()
    {
        var model = new MiniTransformer(vocabSize: 5, modelDim: 8, heads: 2, contextLength: 6).Freeze("blocks.1.attn.wq.*");
        var text = model.Blocks[1].Attention.ToDisplayString("text/plain");
        Assert.StartsWith("Attention: blocks.1.attn: 8 parameters, 288 numbers, 72 of them frozen.", text);
        Assert.Contains("blocks.1.attn.wq.weight (8, 8), frozen", text);
        Assert.StartsWith("Block: blocks.1: ", model.Blocks[1].ToDisplayString("text/plain"));
        Assert.Equal("Norm: 0 parameters, 0 numbers.", new MiniTransformer(new TransformerConfig { VocabSize = 5, Norm = Norm.None }).Blocks[0].Norm1.ToDisplayString("text/plain"));
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
