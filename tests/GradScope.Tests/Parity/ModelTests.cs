using System.Globalization;
using Xunit.Abstractions;

namespace GradScope.Tests.Parity;

/// <summary>Whole transformers with PyTorch's weights: each logit, activation and gradient against PyTorch's.</summary>
public class ModelTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("pre-ln-gelu")]
    [InlineData("post-ln-relu")]
    [InlineData("rms-norm")]
    public void Activations_and_gradients_are_PyTorchs(string name)
    {
        var reference = References.Model(name);
        var largest = new SortedDictionary<string, (double Error, string Tensor)>(StringComparer.Ordinal);
        foreach (var pass in reference.Passes)
        {
            var model = reference.Build();
            var batch = reference.Batches[pass.Batch];
            var tape = model.Record(batch.Tokens, batch.Targets);
            tape.Backward(tape["loss"]);

            Check("loss", "loss", tape["loss"].Value, new ReferenceTensor([], [pass.Loss]));
            foreach (var (path, expected) in pass.Activations)
            {
                Check("value", path, tape[Node(path)].Value, expected.Value);
                Check("gradient", $"gradient of {path}", tape[Node(path)].Grad, expected.Gradient);
            }

            foreach (var (path, expected) in pass.Gradients)
            {
                Check("parameter", $"gradient of {path}", model[path].Grad, expected);
            }

            void Check(string kind, string tensor, Tensor received, ReferenceTensor expected)
            {
                var what = $"{name}, batch {pass.Batch}, {tensor}";
                var error = Closeness.Check(what, received, expected);
                largest[kind] = largest.TryGetValue(kind, out var worst) && worst.Error >= error ? worst : (error, what);
            }
        }

        foreach (var (kind, (error, tensor)) in largest)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{kind,-10} {error:0.0e-0}  {tensor}"));
        }
    }

    /// <summary>The stream between two blocks is one node, which goes by the name that the earlier block gave it.</summary>
    private static string Node(string path) =>
        path.Split('.') is ["blocks", var block, "resid_pre"] && int.Parse(block, CultureInfo.InvariantCulture) is > 0 and var index
            ? $"blocks.{index - 1}.resid_post"
            : path;
}
