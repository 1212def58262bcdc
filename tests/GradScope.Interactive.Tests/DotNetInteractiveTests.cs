extern alias newest;
extern alias older;

using Microsoft.AspNetCore.Html;
using Newest = newest::Microsoft.DotNet.Interactive;
using Older = older::Microsoft.DotNet.Interactive;

namespace GradScope.Interactive.Tests;

/// <summary>The bridge to .NET Interactive before stand-ins whose types and names are those of the real host, in both shapes it has had.</summary>
public class DotNetInteractiveTests
{
    private static readonly Names fewNames = new(["ana", "ann", "nan", "anna"]);

    private readonly DotNetInteractive toNewest = new(typeof(Newest.Kernel).Assembly), toOlder = new(typeof(Older.Kernel).Assembly);

    [Fact]
    public async Task In_the_newest_host_a_training_has_one_display_that_ends_as_the_finished_figure()
    {
        var context = new Newest.KernelInvocationContext(new());
        Newest.KernelInvocationContext.Current = context;
        var trainer = NewTrainer();
        await trainer.TrainAsync(200, new() { Bridge = toNewest });
        Check(context.Published, trainer);

        // What comes after the cell's end would be lost; nothing comes.
        var count = context.Published.Count;
        context.IsComplete = true;
        trainer.Train(5);
        Assert.Equal(count, context.Published.Count);
    }

    [Fact]
    public async Task In_the_older_host_too()
    {
        var context = new Older.KernelInvocationContext(new());
        Older.KernelInvocationContext.Current = context;
        var trainer = NewTrainer();
        await trainer.TrainAsync(200, new() { Bridge = toOlder });
        Check(context.Published, trainer);
    }

    [Fact]
    public async Task Interrupting_its_cell_stops_the_training_and_shows_the_finished_figure_before_the_cell_has_ended()
    {
        var context = new Newest.KernelInvocationContext(new());
        Newest.KernelInvocationContext.Current = context;
        var trainer = NewTrainer();
        var interrupt = Task.CompletedTask;
        trainer.Stepped += measured =>
        {
            if (measured.Step == 20)
            {
                interrupt = Task.Run(context.Cancel);
            }
        };
        await trainer.TrainAsync(1_000_000, new() { Bridge = toNewest });
        await interrupt;
        Assert.InRange(trainer.Steps, 20, 999_999);
        Check(context.Published, trainer);
    }

    [Fact]
    public async Task What_an_interrupted_cell_would_train_next_is_not_begun()
    {
        var context = new Newest.KernelInvocationContext(new());
        Newest.KernelInvocationContext.Current = context;
        context.Cancel();
        var trainer = NewTrainer();
        await trainer.TrainAsync(1_000_000, new() { Bridge = toNewest });
        Assert.Equal(0, trainer.Steps);
    }

    [Fact]
    public void Outside_of_a_cell_nothing_is_shown()
    {
        Newest.KernelInvocationContext.Current = null;
        Assert.Null(toNewest.Show("x"));
        Assert.False(toNewest.AddMagic("#!x", () => "x"));
        Assert.Null(new DotNetInteractive().Show("x"));
    }

    [Fact]
    public async Task The_magic_command_is_added_in_the_newest_shape()
    {
        var context = new Newest.KernelInvocationContext(new());
        Newest.KernelInvocationContext.Current = context;
        Assert.EndsWith("#!gradscope tells more.", GradScopeExtension.Load(toNewest));
        await context.HandlingKernel.RootKernel.Directives["#!gradscope"](new Newest.Commands.DirectiveCommand(), context);
        CheckDescription(Assert.Single(context.Published).Value);
    }

    [Fact]
    public async Task And_in_the_older_one()
    {
        var context = new Older.KernelInvocationContext(new());
        Older.KernelInvocationContext.Current = context;
        Assert.EndsWith("#!gradscope tells more.", GradScopeExtension.Load(toOlder));
        var command = context.HandlingKernel.RootKernel.Directives["#!gradscope"];
        Assert.Equal(0, await command.Handler!.InvokeAsync(new()));
        Assert.Equal(0, command.Handler.Invoke(new()));
        Assert.Equal(2, context.Published.Count);
        CheckDescription(context.Published[0].Value);
    }

    private static void Check(List<(string Id, object Value, bool IsUpdate)> published, Trainer trainer)
    {
        Assert.Single(published.Select(p => p.Id).Distinct());
        Assert.False(published[0].IsUpdate);
        Assert.All(published.Skip(1), p => Assert.True(p.IsUpdate));
        Assert.All(published, p => Assert.IsAssignableFrom<IHtmlContent>(p.Value));
        Assert.Equal(trainer.Run.ToFigure().Text, published[^1].Value.ToString());
    }

    private static void CheckDescription(object shown)
    {
        var text = Assert.IsAssignableFrom<IHtmlContent>(shown).ToString()!;
        Assert.Matches(@"^GradScope \d+\.\d+\.\d+", text);
        Assert.Contains("MiniTransformer, ModelFrame, Tape", text);
        Assert.Contains("theme: light and dark", text);
    }

    private static Trainer NewTrainer() => new(new MiniTransformer(fewNames.VocabSize, contextLength: 6), fewNames) { BatchSize = 2, Probe = "anna" };
}
