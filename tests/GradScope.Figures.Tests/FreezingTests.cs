namespace GradScope.Figures.Tests;

public class FreezingTests
{
    [Fact]
    public void What_is_frozen_is_marked_in_the_model_the_tape_the_flow_and_the_training()
    {
        var trainer = NewTrainer();
        trainer.Model.Freeze("embed.*").Freeze("pos_embed.*").Freeze("blocks.0.*").Freeze("blocks.1.mlp.up.bias");
        trainer.Train(2);
        var frame = trainer.Look();

        // embed, pos_embed, block 0 and in it ln1, wq, wk, wv, wo, ln2, up, down; block 1 and in it up.
        Assert.Equal(11, Count(frame.Model.ToFigure().Svg, ">frozen<"));
        Assert.Equal(2, Count(frame.Model.ToFigure().Svg, ">partly frozen<"));
        Assert.Contains(" of them frozen", frame.Model.ToFigure().Text);
        var frozen = trainer.Model.Parameters.Count(p => p.IsFrozen);
        Assert.Equal(frozen, Count(frame.Tape.ToFigure().Svg, ">frozen<"));
        Assert.Contains($"{frozen} parameters are frozen", frame.Tape.ToFigure().Text);
        Assert.Equal(frozen, Count(frame.GradientFlow().ToFigure().Svg, ">frozen<"));
        Assert.Contains(" of them frozen", trainer.Run.ToFigure().Svg);
        Assert.Contains(" of them frozen", trainer.Run.ToFigure().Text);
    }

    [Fact]
    public void What_is_frozen_is_told_of_folded_blocks_and_of_their_parts()
    {
        var model = new MiniTransformer(vocabSize: 5, modelDim: 8, layers: 5, contextLength: 4);
        Assert.Equal(0, Count(Recorder.Capture(model).ToFigure().Svg, "frozen<"));
        model.Freeze("blocks.1.*").Freeze("blocks.*.attn.wq.*").Freeze("blocks.3.attn.wk.bias");
        var figure = Recorder.Capture(model).ToFigure();
        Assert.Equal((2, 4), (Count(figure.Svg, ">frozen<"), Count(figure.Svg, ">partly frozen<")));
        // Unfolded: block 1 and its 8 parts, wq of the other 4, wk of block 3; the numbers say it of each parameter.
        var drawn = figure.Html[..figure.Html.IndexOf("<details", StringComparison.Ordinal)];
        Assert.Equal((1 + 8 + 4, 4 + 1), (Count(drawn, ">frozen<"), Count(drawn, ">partly frozen<")));
    }

    [Fact]
    public void Steps_without_backprop_are_told_of()
    {
        var trainer = NewTrainer();
        trainer.Backprop = false;
        trainer.Train(3);
        var figure = trainer.Run.ToFigure();
        Assert.Contains("Backprop was off in 3 steps", figure.Svg);
        Assert.Contains("Backprop was off in 3 steps", figure.Text);
        Assert.Contains("backward has not run", trainer.Look().Attention().ToFigure().Svg);
    }

    private static Trainer NewTrainer()
    {
        var names = new Names(["ana", "ann", "nan", "anna"]);
        return new(new MiniTransformer(names.VocabSize, contextLength: 6), names) { BatchSize = 2, Probe = "anna" };
    }

    private static int Count(string svg, string text) => svg.Split(text).Length - 1;
}
