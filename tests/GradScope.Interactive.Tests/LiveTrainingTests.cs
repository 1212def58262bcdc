using GradScope.Figures;
using Microsoft.DotNet.Interactive.Formatting;

namespace GradScope.Interactive.Tests;

/// <summary>Training before a host that remembers what it was to show. One class, since some of it sets the process's bridge.</summary>
public class LiveTrainingTests
{
    private const int Endless = 10_000_000;

    private static readonly Names fewNames = new(["ana", "ann", "nan", "anna", "nana", "dan", "dana", "nadan"]);

    private readonly RememberingHost host = new();

    private LiveOptions Options => new() { Bridge = host, Budget = new(TimeProvider.System) };

    [Fact]
    public async Task One_output_is_updated_while_training_and_ends_as_the_finished_figure()
    {
        var trainer = NewTrainer();
        await trainer.TrainAsync(steps: 400, Options);

        Assert.Equal(400, trainer.Steps);
        Assert.StartsWith("Training: names: step 0 of 400.", host.Only.Views[0].Text);
        Assert.Contains("400 steps", host.Only.Last.Text);
        Assert.Equal(trainer.Run.ToFigure().Html, host.Only.Last.Html);

        // Going on counts from where it stopped.
        await trainer.TrainAsync(steps: 10, Options);
        Assert.StartsWith("Training: names: step 400 of 410.", host.Outputs[1].Views[0].Text);
        Assert.Equal(410, trainer.Steps);
    }

    [Fact]
    public async Task What_is_shown_on_the_way_is_what_was_asked_for()
    {
        var everything = await OnTheWay(Options);
        Assert.Contains("steps/s", everything.Html);
        Assert.Contains("loss, nats", everything.Html);
        Assert.Contains("gradient norm (log)", everything.Html);
        Assert.Contains("gradient flow", everything.Html);
        Assert.Contains("layer 1 head 1", everything.Html);
        Assert.Contains("  loss  ", everything.Text);

        var little = await OnTheWay(Options with { Show = LiveParts.GradientNorms });
        Assert.Contains("gradient norm (log)", little.Html);
        Assert.DoesNotContain("loss, nats", little.Html);
        Assert.DoesNotContain("gradient flow", little.Html);
        Assert.DoesNotContain("layer 1 head 1", little.Html);
    }

    [Fact]
    public async Task The_probe_may_be_chosen_and_is_refused_by_name()
    {
        Assert.Equal("nada", (await OnTheWay(Options with { Probe = "nada" })).Frame!.Probe!.Tokens.Skip(1).Aggregate("", string.Concat));
        var outside = await Assert.ThrowsAsync<ArgumentException>(() => NewTrainer().TrainAsync(5, Options with { Probe = "xyz" }));
        Assert.Contains("'x'", outside.Message);
        var tooLong = await Assert.ThrowsAsync<ArgumentException>(() => NewTrainer().TrainAsync(5, Options with { Probe = "anananananana" }));
        Assert.Contains("14 tokens", tooLong.Message);
    }

    [Fact]
    public async Task Interrupting_stops_after_the_current_step_keeps_everything_and_shows_it()
    {
        var trainer = NewTrainer();
        host.OnUpdate = count =>
        {
            if (count == 2)
            {
                host.Interrupt();
            }
        };
        await trainer.TrainAsync(Endless, Options);

        Assert.InRange(trainer.Steps, 1, Endless - 1);
        Assert.Equal(trainer.Run.ToFigure().Text, host.Only.Last.Text);

        var after = new RememberingHost();
        var before = trainer.Steps;
        await trainer.TrainAsync(3, Options with { Bridge = after });
        Assert.Equal(before + 3, trainer.Steps);
    }

    [Fact]
    public async Task An_exception_in_the_middle_leaves_the_steps_before_it_on_display()
    {
        var trainer = NewTrainer();
        await trainer.TrainAsync(5, Options);
        var weight = trainer.Model["unembed.weight"];
        weight.Set(Tensor.Normal(weight.Shape, 1, float.NaN));
        await Assert.ThrowsAsync<ArithmeticException>(() => trainer.TrainAsync(5, Options));
        Assert.Contains("5 steps", host.Outputs[1].Last.Text);
    }

    [Fact]
    public async Task A_front_end_that_takes_nothing_costs_frames_but_no_steps_and_not_the_last_state()
    {
        using var taken = new ManualResetEventSlim();
        host.OnUpdate = _ => taken.Wait();
        var trainer = NewTrainer();
        var blocked = false;
        trainer.Stepped += measured =>
        {
            // The first update hangs until the training is through.
            blocked |= host.Only.Views.Count == 2;
            if (measured.Step == 3000)
            {
                taken.Set();
            }
        };
        await trainer.TrainAsync(3000, Options);

        Assert.True(blocked);
        Assert.Equal(3000, trainer.Steps);
        Assert.InRange(host.Only.Views.Count, 3, 4);
        Assert.Contains("3000 steps", host.Only.Last.Text);
    }

    [Fact]
    public async Task A_front_end_that_never_comes_back_holds_closing_up_for_ten_seconds_and_no_longer()
    {
        using var never = new ManualResetEventSlim();
        var clock = new ManualClock();
        host.OnUpdate = _ => never.Wait();
        var trainer = NewTrainer();
        var live = trainer.Live(Options with { Clock = clock, Budget = new(clock) });
        trainer.Train(5);
        var closing = live.DisposeAsync().AsTask();
        Assert.False(closing.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(10));
        await closing;
        never.Set();
    }

    [Fact]
    public async Task A_host_that_refuses_updates_does_not_stop_the_training()
    {
        host.OnUpdate = _ => throw new OperationCanceledException("the cell has ended");
        var trainer = NewTrainer();
        await trainer.TrainAsync(200, Options);
        Assert.Equal(200, trainer.Steps);
    }

    [Fact]
    public async Task A_view_that_cannot_be_drawn_says_why_and_the_training_goes_on()
    {
        var trainer = NewTrainer();
        await trainer.TrainAsync(20, Options with { Figure = new() { Theme = new() { Font = "</style>" } } });
        Assert.Equal(20, trainer.Steps);
        Assert.Contains("GradScope could not draw the training", host.Only.Views[0].Html);
        Assert.Contains("GradScope could not draw the training", host.Only.Last.Text);
    }

    [Fact]
    public async Task Two_at_once_have_an_output_each_and_their_own_last_state()
    {
        var (one, other) = (NewTrainer(), NewTrainer());
        var budget = new UpdateBudget(TimeProvider.System);
        var otherHost = new RememberingHost();
        await Task.WhenAll(
            one.TrainAsync(300, Options with { Budget = budget }),
            other.TrainAsync(200, Options with { Budget = budget, Bridge = otherHost }));
        Assert.Contains("300 steps", host.Only.Last.Text);
        Assert.Contains("200 steps", otherHost.Only.Last.Text);
    }

    [Fact]
    public async Task It_draws_when_its_time_has_come_and_not_at_every_step()
    {
        var clock = new ManualClock();
        var trainer = NewTrainer();
        await using var live = trainer.Live(Options with { Clock = clock, Budget = new(clock), UpdatesPerSecond = 4 });
        for (var expected = 2; expected < 5; expected++)
        {
            // Time stands still: however many steps are made, one view is drawn.
            while (host.Only.Views.Count < expected)
            {
                trainer.Train(1);
            }

            trainer.Train(50);
            Assert.Equal(expected, host.Only.Views.Count);

            // The renderer is about to pause when its view is there; the clock is moved until it has noticed.
            var drawn = host.Only.Views.Count;
            while (host.Only.Views.Count == drawn)
            {
                clock.Advance(TimeSpan.FromMilliseconds(250));
                trainer.Train(1);
            }
        }
    }

    [Fact]
    public async Task Any_training_can_be_watched_on_whichever_thread()
    {
        var trainer = NewTrainer();
        using (trainer.Live(Options))
        {
            trainer.Step();
            var thread = new Thread(() => trainer.Train(30));
            thread.Start();
            thread.Join();
        }

        Assert.Contains("31 steps", host.Only.Last.Text);

        // Closed is closed.
        var views = host.Only.Views.Count;
        await Task.Run(() => trainer.Train(5));
        Assert.Equal(views, host.Only.Views.Count);
    }

    [Fact]
    public async Task A_model_goes_on_with_its_trainer()
    {
        var model = new MiniTransformer(fewNames.VocabSize, contextLength: 6);
        await model.TrainAsync(fewNames, 3, Options);
        await model.TrainAsync(fewNames, 2, Options);
        Assert.Equal(5, model.TrainerFor(fewNames).Steps);
        Assert.Contains("5 steps", host.Outputs[1].Last.Text);
        Assert.Equal(0, model.TrainerFor(new Names(["ana", "dan"])).Steps);
    }

    [Fact]
    public async Task Without_a_notebook_it_trains_all_the_same()
    {
        DisplayBridge.Current = DisplayBridge.Automatic;
        var trainer = NewTrainer();
        await trainer.TrainAsync(3);
        Assert.Equal(3, trainer.Steps);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => trainer.TrainAsync(0));
        Assert.Null(DisplayBridge.None.Show("anything"));
    }

    [Fact]
    public async Task The_bridge_set_by_hand_is_used()
    {
        DisplayBridge.Current = host;
        try
        {
            await NewTrainer().TrainAsync(2);
            Assert.Contains("2 steps", host.Only.Last.Text);
        }
        finally
        {
            DisplayBridge.Current = DisplayBridge.Automatic;
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(11)]
    [InlineData(double.NaN)]
    public void More_updates_than_notebooks_take_are_refused(double rate) =>
        Assert.Contains("UpdatesPerSecond", Assert.Throws<ArgumentOutOfRangeException>(() => new LiveOptions { UpdatesPerSecond = rate }).Message);

    [Fact]
    public void A_view_is_html_content_that_a_host_without_the_formatters_shows_too()
    {
        var view = LiveView.Finished(NewTrainer().Run.ToFigure());
        var plain = new StringWriter();
        view.WriteTo(plain, System.Text.Encodings.Web.HtmlEncoder.Default);
        Assert.Equal(view.Html, plain.ToString());
        Formatters.Register();
        Assert.Equal(view.Html, view.ToDisplayString("text/html"));
        Assert.Equal(view.Text, view.ToDisplayString("text/plain"));
        Assert.InRange(view.Size, view.Html.Length, 2 * view.Html.Length + 2 * view.Text.Length);
    }

    [Fact]
    public void Progress_tells_what_is_left()
    {
        Assert.Equal("step 240 of 500 · 120 steps/s · 3 s left", new LiveProgress(240, 240, 500, TimeSpan.FromSeconds(2)).ToString());
        Assert.Equal("step 1,100 of 3,000 · 2 steps/s · 15 min 50 s left", new LiveProgress(1100, 100, 2000, TimeSpan.FromSeconds(50)).ToString());
        Assert.Equal("step 7 · 3.5 steps/s", new LiveProgress(7, 7, null, TimeSpan.FromSeconds(2)).ToString());
        Assert.Equal("step 0 of 10", new LiveProgress(0, 0, 10, TimeSpan.Zero).ToString());
    }

    private async Task<LiveView> OnTheWay(LiveOptions options)
    {
        var watched = new RememberingHost();
        watched.OnUpdate = _ => watched.Interrupt();
        await NewTrainer().TrainAsync(Endless, options with { Bridge = watched });
        return watched.Only.Views[1];
    }

    private static Trainer NewTrainer() =>
        new(new MiniTransformer(fewNames.VocabSize, contextLength: 6), fewNames) { BatchSize = 4, Probe = "anna" };
}
