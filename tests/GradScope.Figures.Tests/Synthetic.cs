using System.Collections.Immutable;

namespace GradScope.Figures.Tests;

/// <summary>Frames made by small formulas, for cases that a trained model does not give: extremes, odd texts, odd sizes.</summary>
internal static class Synthetic
{
    public static TransformerConfig Config { get; } = new() { VocabSize = 27, ModelDim = 16, HeadCount = 2, LayerCount = 2, ContextLength = 16 };

    public static ImmutableArray<string> Tokens(int count) => [.. Enumerable.Range(0, count).Select(i => "gradient flow".Substring(i % 13, 1))];

    /// <summary>Tokens that are hard to show.</summary>
    public static ImmutableArray<string> OddTokens { get; } = ["<script>", "\"quoted\"", "שלום", "👩‍🔬", "a&b", " ", "", "line\nbreak", "antidisestablishmentarianism"];

    /// <summary>What would run if it became markup; each sets window.hit.</summary>
    public static ImmutableArray<string> HostileTexts { get; } =
    [
        "<img src=x onerror=\"window.hit=1\">", "\"'><script>window.hit=1</script>", "</style><script>window.hit=1</script>", "]]></script><script>window.hit=1</script>",
        "</title></svg><iframe srcdoc=\"<script>parent.hit=1</script>\">", "\" onfocus=\"window.hit=1\" autofocus=\"", "javascript:window.hit=1", "\u202eevil\u0000\ud800&amp;",
    ];

    /// <summary>A frame of the teaching size whose numbers were changed, gradients and norms included.</summary>
    public static Frame With(Frame frame, Func<float, float> value, Func<float, float> grad)
    {
        var tape = frame.Tape with
        {
            Nodes = [.. frame.Tape.Nodes.Select(n => n with
        {
            Value = Map(n.Value, value), ValueNorm = value((float)n.ValueNorm), Grad = Map(n.Grad, grad), GradNorm = n.GradNorm is { } norm ? grad((float)norm) : null,
        })]
        };
        var parameters = frame.Model.Parameters.Select(p => p with { ValueNorm = value((float)p.ValueNorm), GradNorm = p.GradNorm is { } norm ? grad((float)norm) : null });
        return frame with { Tape = tape, Model = frame.Model with { Parameters = [.. parameters] }, Loss = value((float)frame.Loss) };

        static Tensor? Map(Tensor? tensor, Func<float, float> map) => tensor is null ? null : new(tensor.Shape, [.. tensor.Values.ToArray().Select(map)]);
    }

    /// <summary>A frame as of a large model: of parameters it has the norms alone.</summary>
    public static Frame WithoutParameters(Frame frame) =>
        frame with { Tape = frame.Tape with { Nodes = [.. frame.Tape.Nodes.Select(n => n.Kind == NodeKind.Parameter ? n with { Value = null, Grad = null } : n)] } };

    /// <summary>A tape of few tensors: a layer, its nonlinearity, and a softmax over it.</summary>
    public static Tape Layer()
    {
        var tape = new Tape();
        var (x, weight) = (tape.Variable(Wave([4, 6], 1), "x"), tape.Variable(Wave([6, 5], 2), "weight"));
        var hidden = x.MatMul(weight).As("hidden");
        tape.Backward((hidden.Relu().As("post").Softmax() * hidden).Sum().As("loss"));
        return tape;
    }

    /// <summary>A run whose measurements were changed.</summary>
    public static Run With(Run run, Func<double, double> number) => run with
    {
        Metrics = [.. run.Metrics.Select(m => new Metrics(
            m.Step, number(m.Loss), number(m.Accuracy), number(m.GradientNorm), number(m.LearningRate), number(m.UpdateRatio),
            m.ValidationLoss is { } loss ? number(loss) : null, m.ValidationAccuracy is { } accuracy ? number(accuracy) : null))],
        GradientNorms = [.. run.GradientNorms.Select(step => step.Select(n => (float)number(n)).ToImmutableArray())],
    };

    /// <summary>Everything that users name, named so.</summary>
    public static IEnumerable<Figure> Named(ImmutableArray<string> names)
    {
        var text = string.Concat(names);
        var config = Config with { LayerCount = 1 };
        var run = Trained.Plain.Run with { Task = text, Optimizer = text, Baselines = [new(text, 2)], ParameterNames = [.. Trained.Plain.Run.ParameterNames.Select(n => n + text)] };
        var flow = Flow(config, names);
        flow = flow with { Stations = [.. flow.Stations.Select(s => s with { Name = text })], Branches = [.. flow.Branches.Select(b => b with { Path = text })] };
        var tape = Trained.Micrograd();
        tape = tape with { Nodes = [.. tape.Nodes.Select(n => n with { Name = text, Formula = text, BackwardRule = [.. n.BackwardRule.Select(_ => text)] })] };
        var model = Model(config);
        return
        [
            run.ToFigure(), run.ToGradientHistoryFigure(), flow.ToFigure(), tape.ToFigure(), tape.Nodes[0].ToFigure(), Attention(config, names).ToFigure(), Predictions(names).ToFigure(),
            new Tensor([2], 1, 2).ToFigure(text), (model with { Parameters = [.. model.Parameters.Select(p => p with { Name = p.Name + text })] }).ToFigure(new() { Title = text }),
        ];
    }

    /// <summary>Each token is expected after itself, with growing confidence.</summary>
    public static PredictionFrame Predictions(ImmutableArray<string> vocabulary) => new(7, vocabulary, [.. vocabulary.Select((token, i) => new Prediction(
        token, i % 3 == 2 ? null : vocabulary[i * 5 % vocabulary.Length],
        new Tensor([vocabulary.Length], [.. vocabulary.Select((_, j) => j == i ? (i + 1f) / (vocabulary.Length + 1) : (vocabulary.Length - i) / (float)((vocabulary.Length + 1) * (vocabulary.Length - 1)))]),
        i % 3 == 2 ? null : i * 5 % vocabulary.Length))]);

    /// <summary>A smooth signed map that depends on the seed.</summary>
    public static Tensor Wave(Shape shape, double seed, double scale = 1) =>
        new(shape, [.. Enumerable.Range(0, shape.ElementCount).Select(i => (float)(scale * Math.Sin(seed + i * 0.7) * Math.Cos(seed * 2 + i * 0.13)))]);

    public static Tensor Pattern(int heads, int positions, bool causal, double seed)
    {
        var values = new List<float>();
        for (var h = 0; h < heads; h++)
        {
            for (var q = 0; q < positions; q++)
            {
                var row = Enumerable.Range(0, positions)
                    .Select(k => causal && k > q ? 0 : Math.Exp(2 * Math.Sin(seed + h * 2 + q * 1.1 + k * 1.7))).ToArray();
                values.AddRange(row.Select(x => (float)(x / row.Sum())));
            }
        }

        return new([heads, positions, positions], [.. values]);
    }

    public static AttentionFrame Attention(TransformerConfig config, ImmutableArray<string> tokens, bool backward = true)
    {
        var (h, t) = (config.HeadCount, tokens.Length);
        return new(45, tokens, config.Causal, backward, [.. Enumerable.Range(0, config.LayerCount).Select(l => new AttentionLayer(
            l, Wave([h, t, t], l, 3), Pattern(h, t, config.Causal, l),
            backward ? Wave([h, t, t], l + 0.3, 0.01) : null, backward ? Wave([h, t, t], l + 0.5, 0.03) : null))]);
    }

    public static ModelFrame Model(TransformerConfig config, bool backward = true, double scale = 1)
    {
        var (d, m) = (config.ModelDim, config.HiddenDim);
        List<(string, Shape)> names = [("embed.weight", [config.VocabSize, d]), ("pos_embed.weight", [config.ContextLength, d])];
        for (var l = 0; l < config.LayerCount; l++)
        {
            var b = $"blocks.{l}.";
            names.AddRange([(b + "ln1.weight", [d]), (b + "ln1.bias", [d])]);
            foreach (var w in (string[])["wq", "wk", "wv", "wo"]) names.AddRange([(b + $"attn.{w}.weight", [d, d]), (b + $"attn.{w}.bias", [d])]);
            names.AddRange([(b + "ln2.weight", [d]), (b + "ln2.bias", [d]), (b + "mlp.up.weight", [d, m]), (b + "mlp.up.bias", [m]), (b + "mlp.down.weight", [m, d]), (b + "mlp.down.bias", [d])]);
        }

        names.AddRange([("ln_final.weight", [d]), ("ln_final.bias", [d]), ("unembed.weight", [d, config.VocabSize])]);
        return new(config, [.. names.Select((n, i) => new ParameterFrame(n.Item1, n.Item2, 1 + Math.Sin(i), backward ? scale * 0.05 * Math.Exp(2 * Math.Sin(i * 1.3)) : null))]);
    }

    public static GradientFlowFrame Flow(TransformerConfig config, ImmutableArray<string> tokens, bool backward = true, double growth = 1.1, double share = 0.25)
    {
        var model = Model(config, backward);
        List<Station> stations = [new("blocks.0.resid_pre", 0.9, null)];
        List<Branch> branches = [];
        for (var l = 0; l < config.LayerCount; l++)
        {
            foreach (var kind in (string[])["attn", "mlp"])
            {
                stations.Add(new(kind == "attn" ? $"blocks.{l}.resid_mid" : $"blocks.{l}.resid_post", 1 + stations.Count, null));
                branches.Add(new($"blocks.{l}.{kind}", l, kind == "attn", null, null, null,
                    [.. model.Parameters.Where(p => p.Name.StartsWith($"blocks.{l}.{kind}.", StringComparison.Ordinal) || p.Name.StartsWith($"blocks.{l}.{(kind == "attn" ? "ln1" : "ln2")}.", StringComparison.Ordinal))]));
            }
        }

        if (backward)
        {
            for (var i = 0; i < stations.Count; i++) stations[i] = stations[i] with { GradNorm = 0.036 * Math.Pow(growth, stations.Count - 1 - i) };
            for (var i = 0; i < branches.Count; i++)
            {
                branches[i] = branches[i] with { OutputGradNorm = stations[i + 1].GradNorm, BranchGradNorm = stations[i].GradNorm * 0.4, BranchShare = share * Math.Cos(i) };
            }
        }

        var inside = branches.SelectMany(b => b.Parameters).ToHashSet();
        return new(45, model, 2.029, tokens, backward, [.. stations], [.. branches], [.. model.Parameters.Where(p => !inside.Contains(p))], Attention(config, tokens, backward));
    }

    /// <summary>A run of many steps, of which a few have no finite loss.</summary>
    public static Run LongRun(Run run, int steps) => run with
    {
        Metrics = [.. Enumerable.Range(1, steps).Select(i => new Metrics(
            i, i % 1700 == 0 ? double.NaN : 1.8 + 1.5 * Math.Exp(-i / 800.0) + 0.2 * Math.Sin(i * 12.9898), 0.5 - 0.4 * Math.Exp(-i / 900.0),
            Math.Exp(Math.Sin(i * 78.233)), 1e-3 * Math.Cos(i * Math.PI / 2 / steps), 2e-3 * Math.Exp(-i / 3000.0), i % 250 == 0 ? 1.9 + 1.4 * Math.Exp(-i / 900.0) : null))],
        GradientNorms = [.. Enumerable.Range(0, steps).Select(i => run.GradientNorms[i % run.GradientNorms.Length])],
        Baselines = [new("uniform", 3.296), new("bigram counts", 2.454), new("entropy of the source", 1.6, IsFloor: true)],
    };
}
