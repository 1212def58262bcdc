namespace GradScope.Interactive.Tests;

/// <summary>A small training, made once.</summary>
internal static class Trained
{
    private static readonly Lazy<(Run Run, Frame Frame)> made = new(() =>
    {
        var names = new Names(["ana", "ann", "nan", "anna", "nana", "dan", "dana", "nadan", "ada", "nada"]);
        var trainer = new Trainer(new MiniTransformer(names.VocabSize, contextLength: 6), names) { BatchSize = 4, Probe = "anna", ValidationEvery = 10 };
        trainer.Train(30);
        return (trainer.Run, trainer.Look());
    });

    public static Run Run => made.Value.Run;

    public static Frame Frame => made.Value.Frame;
}
