using System.Text.Json.Nodes;

namespace GradScope.Figures;

/// <summary>The numbers behind a run's drawings, for each stop of the cursor and each picture of the model.</summary>
internal static class RunPayload
{
    /// <summary>The payload; what depends on a drawing's size stands once for each, in their order.</summary>
    public static Payload Of(PlayedRun played, params IReadOnlyList<RunDrawing> drawings)
    {
        var payload = new Payload("run");
        var (head, run) = (payload.Head, played.Run);
        head["stops"] = Whole(played.Metrics.Select(m => m.Step));
        head["total"] = run.Metrics.Length;
        head["metrics"] = new JsonArray(
            Add(played.Metrics.Select(m => (double?)m.Loss)), Add(played.Metrics.Select(m => m.ValidationLoss)), Add(played.Metrics.Select(m => (double?)m.Accuracy)),
            Add(played.Metrics.Select(m => (double?)m.GradientNorm)), Add(played.Metrics.Select(m => (double?)m.UpdateRatio)), Add(played.Metrics.Select(m => (double?)m.LearningRate)));
        head["x"] = Each(d => new JsonArray(Math.Round(d.Steps.Start, 3), Math.Round(d.Steps.Pitch, 6)));
        var norms = drawings[0].Norms;
        head["y"] = new JsonArray(norms.At(1), norms.At(10) - norms.At(1), norms.At(norms.Least));
        head["parameters"] = payload.AddTexts([.. run.ParameterNames.Select(GradientFlowFigure.WithoutWeight)]);
        head["parameter"] = played.Parameter;
        head["norms"] = Add(Enumerable.Range(0, run.ParameterNames.Length).SelectMany(p => played.Norms.Select(step => (double?)step[p])));
        head["frames"] = Whole(played.Frames.Select(f => f.Step));
        head["layers"] = Whole(played.Frames.Count == 0 ? [] : played.Frames[^1].Attention.Layers.Select(l => l.Layer));
        if (played.Frames.Count == 0) return payload;

        head["weights"] = Add(played.Frames.SelectMany(f => run.ParameterNames.Select(name => f.Frame.Model.Parameters.FirstOrDefault(p => p.Name == name)?.ValueNorm)));
        head["tokens"] = payload.AddTexts([.. played.Tokens.Select(TokenText.Show)]);
        (head["side"], head["block"], head["size"]) = (played.MapSide, (played.Tokens.Length + played.MapSide - 1) / played.MapSide, Each(d => d.MapSize));
        (head["heads"], head["layer"], head["head"]) = (run.Model.Config.HeadCount, played.Layer, played.Head);
        head["A"] = Maps(l => l.Pattern);
        if (played.Frames.All(f => f.Attention.BackwardHasRun)) head["G"] = Maps(l => l.PatternGrad!);
        head["flow"] = Add(played.Frames.SelectMany(f => f.Flow.Stations.Reverse().Select(s => (double?)drawings[0].FlowShare(s))));
        head["length"] = Each(d => d.FlowBar);
        head["bar"] = Add(played.Frames.SelectMany(f => Positions(f).Select(p => (double?)RunDrawing.ChanceWidth(p))));
        head["texts"] = new JsonObject
        {
            ["picture"] = Texts(f => [RunDrawing.Picture(f)]),
            ["norm"] = Texts(f => f.Flow.Stations.Reverse().Select(RunDrawing.NormOf)),
            ["share"] = Texts(f => f.Flow.Branches.Reverse().Select(RunDrawing.ShareOf)),
            ["mark"] = Texts(f => Positions(f).Select(RunDrawing.MarkOf)),
            ["chance"] = Texts(f => Positions(f).Select(RunDrawing.ChanceText)),
            ["best"] = Texts(f => Positions(f).Select(p => RunDrawing.Likeliest(f, p))),
        };
        if (played.Weights is { } weights)
        {
            head["room"] = Each(d => Math.Round(d.ParameterRoom, 2));
            head["pictures"] = Whole(weights.Frames.Select(f => f.Step));
            head["cells"] = new JsonArray([.. Enumerable.Range(0, run.ParameterNames.Length).Select(Weights)]);
        }

        return payload;

        IEnumerable<Prediction> Positions(PlayedFrame frame) => RunDrawing.Positions(played).Select(i => frame.Predictions.Positions[i]);

        static JsonArray Whole(IEnumerable<int> numbers) => new([.. numbers.Select(n => JsonValue.Create(n))]);

        JsonArray Each(Func<RunDrawing, JsonNode> number) => new([.. drawings.Select(number)]);

        JsonArray Texts(Func<PlayedFrame, IEnumerable<string>> texts) => new([.. played.Frames.Select(f => new JsonArray([.. texts(f).Select(t => JsonValue.Create(t))]))]);

        JsonArray Add(IEnumerable<double?> numbers)
        {
            double?[] all = [.. numbers];
            return payload.Add([.. all.Select(n => (float)(n ?? 0))], i => all[i] is null);
        }

        JsonArray Maps(Func<AttentionLayer, Tensor> map) =>
            Join(played.Frames.SelectMany(f => f.Attention.Layers.SelectMany(l => Enumerable.Range(0, l.HeadCount).Select(h => played.CellsOf(f, map(l), h)))));

        // A parameter as a map: of the first picture's cells, and the numbers of all pictures one after the other.
        JsonObject Weights(int parameter)
        {
            (Cells Value, Cells? Grad)[] all = [.. played.Weights!.Frames.Select(f => played.Weights.Of(f, parameter))];
            var (down, across) = played.Weights.Sides(parameter, all[0].Value);
            var map = payload.MapOf(GradientFlowFigure.WithoutWeight(run.ParameterNames[parameter]), all[0].Value, down, across);
            map["v"] = Join(all.Select(cells => cells.Value));
            if (all.All(cells => cells.Grad is not null)) map["g"] = Join(all.Select(cells => cells.Grad!));
            return map;
        }

        JsonArray Join(IEnumerable<Cells> all)
        {
            List<float> values = [];
            List<bool> masked = [];
            foreach (var cells in all)
            {
                values.AddRange(cells.Values);
                masked.AddRange(Enumerable.Range(0, cells.Values.Length).Select(i => cells.IsForbidden(i)));
            }

            return payload.Add([.. values], i => masked[i]);
        }
    }
}
