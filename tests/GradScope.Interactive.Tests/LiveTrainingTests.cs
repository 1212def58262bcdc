using Microsoft.DotNet.Interactive.Formatting;

namespace GradScope.Interactive.Tests;

/// <summary>Training with a notebook's display replaced by one that remembers. One class, since the bridge is one for the process.</summary>
public class LiveTrainingTests
{
    [Fact]
    public async Task One_output_is_updated_while_training_and_ends_as_the_finished_figure()
    {
        var bridge = new Remembering();
        DisplayBridge.Current = bridge;
        var trainer = NewTrainer();
        await trainer.TrainAsync(steps: 400);

        Assert.Equal(400, trainer.Steps);
        var shown = Assert.Single(bridge.Outputs);
        Assert.StartsWith("step 0 of 400", shown.Values[0].ToDisplayString("text/plain"));
        var last = Assert.IsType<Figure>(shown.Values[^1]);
        Assert.Contains("400 steps", last.Text);

        // Going on counts from where it stopped.
        await trainer.TrainAsync(steps: 10);
        Assert.StartsWith("step 400 of 410", bridge.Outputs[1].Values[0].ToDisplayString("text/plain"));
        Assert.Equal(410, trainer.Steps);
    }

    [Fact]
    public async Task What_is_shown_on_the_way_is_the_training_so_far_and_the_probes_attention()
    {
        var bridge = new Remembering { Patience = 3 };
        DisplayBridge.Current = bridge;
        using var stop = new CancellationTokenSource();
        bridge.Enough = stop.Cancel;
        var trainer = NewTrainer();
        await trainer.TrainAsync(steps: 1_000_000, stop.Token);

        var values = Assert.Single(bridge.Outputs).Values;
        Assert.True(trainer.Steps is > 0 and < 1_000_000);
        var view = values[1].ToDisplayString("text/html");
        Assert.Contains("<progress", view);
        Assert.Contains("steps/s", view);
        Assert.Equal(2, view.Split("<svg").Length - 1);
        Assert.IsType<Figure>(values[^1]);
    }

    [Fact]
    public async Task An_exception_in_the_middle_leaves_the_steps_before_it_on_display()
    {
        var bridge = new Remembering();
        DisplayBridge.Current = bridge;
        var trainer = NewTrainer();
        await trainer.TrainAsync(5);
        var weight = trainer.Model["unembed.weight"];
        weight.Set(Tensor.Normal(weight.Shape, 1, float.NaN));
        await Assert.ThrowsAsync<ArithmeticException>(() => trainer.TrainAsync(5));
        Assert.Contains("5 steps", Assert.IsType<Figure>(bridge.Outputs[1].Values[^1]).Text);
    }

    [Fact]
    public async Task Without_a_notebook_it_trains_all_the_same()
    {
        DisplayBridge.Current = new DotNetInteractiveBridge();
        var trainer = NewTrainer();
        await trainer.TrainAsync(3);
        Assert.Equal(3, trainer.Steps);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => trainer.TrainAsync(0));
    }

    private static Trainer NewTrainer()
    {
        var names = new Names(["ana", "ann", "nan", "anna", "nana", "dan", "dana", "nadan"]);
        return new(new MiniTransformer(names.VocabSize, contextLength: 6), names) { BatchSize = 4, Probe = "anna" };
    }

    private sealed class Remembering : IDisplayBridge
    {
        public List<Output> Outputs { get; } = [];

        public int Patience { get; init; } = int.MaxValue;

        public Action? Enough { get; set; }

        public ILiveOutput? Show(object value)
        {
            Outputs.Add(new(this, value));
            return Outputs[^1];
        }

        public sealed class Output(Remembering owner, object first) : ILiveOutput
        {
            public List<object> Values { get; } = [first];

            public void Update(object value)
            {
                Values.Add(value);
                if (Values.Count > owner.Patience)
                {
                    owner.Enough!();
                }
            }
        }
    }
}
