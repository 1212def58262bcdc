using System.Globalization;
using System.Runtime.InteropServices;
using Xunit.Abstractions;

namespace GradScope.Tests.Parity;

/// <summary>Transformers of random options with PyTorch's weights: logits, loss, attention and every gradient against PyTorch's.</summary>
public class ConfigurationTests(ITestOutputHelper output)
{
    [Fact]
    public void Each_configuration_computes_what_PyTorch_does()
    {
        var largest = new SortedDictionary<string, (double Error, string Tensor)>(StringComparer.Ordinal);
        foreach (var configuration in References.Configurations)
        {
            var model = configuration.Build();
            var tape = model.Record(configuration.Tokens, configuration.Targets);
            tape.Backward(tape["loss"]);

            Check("loss", "loss", tape["loss"].Value, new ReferenceTensor([], [configuration.Loss]));
            Assert.Equal(1 + 3 * model.Config.LayerCount, configuration.Values.Count);
            foreach (var path in configuration.Values.Keys)
            {
                var kind = path.Split('.')[^1];
                Check(kind, path, tape[path].Value, configuration.Expected(configuration.Values, path, tape[path].Shape));
                Check($"gradient of {kind}", $"gradient of {path}", tape[path].Grad, configuration.Expected(configuration.Gradients, path, tape[path].Shape));
            }

            foreach (var parameter in model.Parameters)
            {
                Check("gradient of a parameter", $"gradient of {parameter.Name}", parameter.Grad, configuration.Expected(configuration.Parameters, parameter.Name, parameter.Shape));
            }

            void Check(string kind, string tensor, Tensor received, ReferenceTensor expected)
            {
                var what = $"configuration {configuration.Seed}, {tensor}";
                var error = Closeness.Check(what, received, expected);
                largest[kind] = largest.TryGetValue(kind, out var worst) && worst.Error >= error ? worst : (error, what);
            }
        }

        foreach (var (kind, (error, tensor)) in largest)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{kind,-24} {error:0.0e-0}  {tensor}"));
        }
    }

    [Fact]
    public void Each_value_of_each_option_occurs_in_several_configurations()
    {
        var all = References.Configurations;
        Assert.True(all.Count >= 40, $"There are {all.Count} configurations.");
        Count("layers", c => c.Config.LayerCount, [1, 2, 3]);
        Count("heads", c => c.Config.HeadCount, [1, 2, 3, 4]);
        Count("MLP width", c => c.Config.MlpDim ?? -1, [-1, 0, 5, 9]);
        Count("activation, with an MLP", c => c.Config.HasMlp ? c.Config.Activation : (Activation?)null, [.. Enum.GetValues<Activation>()]);
        Count("norm and placement", c => (c.Config.Norm, c.Config.NormPlacement),
            [.. from norm in Enum.GetValues<Norm>() from placement in Enum.GetValues<NormPlacement>() select (norm, placement)]);
        Count("positions", c => c.Config.Positions, Enum.GetValues<Positions>());
        Count("causal", c => c.Config.Causal, [true, false]);
        Count("biases", c => c.Config.Biases, [true, false]);
        Count("tied", c => c.Config.TiedEmbeddings, [true, false]);
        Count("context", c => c.Config.ContextLength, [3, 4, 5, 6]);
        Count("shorter sequence", c => c.Tokens[0].Length < c.Config.ContextLength, [true, false]);
        Count("ignored target", c => c.Targets.Any(row => row.Contains(-1)), [true, false]);
        Count("batch", c => c.Tokens.Length, [1, 2, 3]);
        Assert.True(all.Select(c => c.Config.ModelDim).Distinct().Count() >= 4, "There are fewer than four widths.");

        void Count<T>(string option, Func<ReferenceConfiguration, T> of, T[] values)
        {
            var counts = values.Select(value => (Value: value, Times: all.Count(c => Equals(of(c), value)))).ToArray();
            output.WriteLine($"{option}: {string.Join(", ", counts.Select(count => $"{count.Value} in {count.Times}"))}");
            Assert.All(counts, count => Assert.True(count.Times >= 3, $"{option} is {count.Value} in {count.Times} configurations only."));
        }
    }
}

/// <summary>One random configuration as make_configurations.py describes it; tensors are base64 of float32.</summary>
public sealed record ReferenceConfiguration(
    TransformerConfig Config,
    ulong Seed,
    int[][] Tokens,
    int[][] Targets,
    double Loss,
    Dictionary<string, string> Values,
    Dictionary<string, string> Gradients,
    Dictionary<string, string> Parameters)
{
    /// <summary>The engine's model with the weights that the script drew from the same stream.</summary>
    public MiniTransformer Build()
    {
        var model = new MiniTransformer(Config);
        Assert.Equal(Parameters.Keys, model.Parameters.Select(p => p.Name));
        var random = new RandomStream(Seed);
        foreach (var parameter in model.Parameters)
        {
            var around = parameter.Name.Split('.')[^2].StartsWith("ln", StringComparison.Ordinal) && parameter.Name.EndsWith(".weight", StringComparison.Ordinal) ? 1 : 0;
            var values = new float[parameter.Shape.ElementCount];
            foreach (ref var value in values.AsSpan())
            {
                value = around + (random.Next(65) - 32) / 64f;
            }

            parameter.Set(new Tensor(parameter.Shape, values));
        }

        return model;
    }

    /// <summary>The tensor of that name, with null for what a causal mask hides.</summary>
    public ReferenceTensor Expected(Dictionary<string, string> tensors, string name, Shape shape)
    {
        var values = MemoryMarshal.Cast<byte, float>(Convert.FromBase64String(tensors[name])).ToArray();
        Assert.Equal(shape.ElementCount, values.Length);
        var length = Tokens[0].Length;
        var masked = Config.Causal && name.Split('.')[^1] is ("scores" or "pattern");
        return new([.. shape], [.. values.Select((value, i) => masked && i % length > i / length % length ? (double?)null : value)]);
    }
}
