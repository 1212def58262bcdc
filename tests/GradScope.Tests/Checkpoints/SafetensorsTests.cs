using System.Text.Json;
using GradScope.Testing;

namespace GradScope.Tests.Checkpoints;

public sealed class SafetensorsTests : IDisposable
{
    private readonly Scratch scratch = new();

    public void Dispose() => scratch.Dispose();

    [Theory]
    [InlineData("single", 1.5f, -0.0078125f, 65504f, 1e-7f)]
    [InlineData("double", 1.5f, -0.0078125f, 65504f, 1e-7f)]
    [InlineData("half", 1.5f, -0.0078125f, 65504f, 2f / (1 << 24))]
    [InlineData("brain", 1.5f, -0.0078125f, 65536f, 215f / 128 / (1 << 24))]
    public void Every_floating_type_reads_as_float32(string name, params float[] expected)
    {
        using var file = Safetensors.Open(Scratch.Given("types.safetensors"));
        var tensor = file.Read(name);
        Assert.Equal([2, 2], tensor.Shape);
        Assert.Equal(expected, tensor.Values.ToArray());
    }

    [Fact]
    public void A_file_tells_its_tensors_and_its_metadata()
    {
        using var file = Safetensors.Open(Scratch.Given("types.safetensors"));
        Assert.Equal(["double", "long", "single", "half", "brain", "scalar", "empty", "five"], file.Tensors.Select(t => t.Name));
        Assert.Equal(["F64", "I64", "F32", "F16", "BF16", "F32", "F32", "F32"], file.Tensors.Select(t => t.DType));
        Assert.Equal("pt", file.Metadata["format"]);
        Assert.Equal(0.25f, (float)file.Read("scalar"));
        Assert.Equal(Shape.Scalar, file.Read("scalar").Shape);
        Assert.False(file.Contains("other"));
    }

    [Theory]
    [InlineData("long", "type I64")]
    [InlineData("empty", "(0, 3)")]
    [InlineData("five", "(1, 1, 1, 1, 1)")]
    public void What_no_tensor_here_can_hold_is_refused_when_read(string name, string reason)
    {
        using var file = Safetensors.Open(Scratch.Given("types.safetensors"));
        var error = Assert.Throws<InvalidDataException>(() => file.Read(name));
        Assert.Contains($"types.safetensors: tensor '{name}'", error.Message);
        Assert.Contains(reason, error.Message);
    }

    [Fact]
    public void Missing_files_and_tensors_are_named()
    {
        Assert.Contains("nowhere.safetensors", Assert.Throws<FileNotFoundException>(() => Safetensors.Open("nowhere.safetensors")).Message);
        using var file = Safetensors.Open(Scratch.Given("types.safetensors"));
        var error = Assert.Throws<KeyNotFoundException>(() => file.Read("singel"));
        Assert.Contains("'singel'", error.Message);
        Assert.Contains("single", error.Message);
    }

    [Fact]
    public void What_is_written_reads_back_to_the_bit()
    {
        // More than a chunk of the reader, so that its seams are in it.
        var large = Tensor.Normal([300, 101], seed: 3);
        Tensor odd = new([5], 0f, -0f, float.Epsilon, float.MaxValue, float.NegativeInfinity);
        var path = scratch.PathOf("x.safetensors");
        Safetensors.Write(path, new Dictionary<string, Tensor> { ["odd"] = odd, ["lärge \"1\""] = large, ["scalar"] = 3f }, new Dictionary<string, string> { ["who"] = "ünï\n" });

        using var file = Safetensors.Open(path);
        Assert.Equal("ünï\n", file.Metadata["who"]);
        Assert.Equal(large.Values.ToArray(), file.Read("lärge \"1\"").Values.ToArray());
        Assert.Equal(odd.Values.ToArray().Select(BitConverter.SingleToInt32Bits), file.Read("odd").Values.ToArray().Select(BitConverter.SingleToInt32Bits));
        Assert.Equal(3f, (float)file.Read("scalar"));
        Assert.Equal([path], Directory.GetFiles(scratch.Folder));
    }

    [Fact]
    public void A_failed_write_leaves_what_was_there()
    {
        var path = scratch.PathOf("x.safetensors");
        Safetensors.Write(path, new Dictionary<string, Tensor> { ["a"] = 1f });
        Assert.Throws<ArgumentException>(() => Safetensors.Write(path, [new("b", 1f), new("b", 2f)]));
        Assert.Throws<ArgumentException>(() => Safetensors.Write(path, [new("__metadata__", 1f)]));
        var broken = SafetensorsPart.Of("c", [2], new float[1]);
        Assert.ThrowsAny<Exception>(() => SafetensorsWriter.Write(path, [broken], new Dictionary<string, string>()));

        using var file = Safetensors.Open(path);
        Assert.Equal(1f, (float)file.Read("a"));
        Assert.Equal([path], Directory.GetFiles(scratch.Folder));
    }

    [Fact]
    public void A_file_cut_while_it_is_open_is_refused()
    {
        var path = scratch.PathOf("x.safetensors");
        Safetensors.Write(path, new Dictionary<string, Tensor> { ["a"] = Tensor.Zeros([100]) });
        using var file = Safetensors.Open(path);
        using (var writer = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            writer.SetLength(200);
        }

        Assert.Contains("ended while it was read", Assert.Throws<InvalidDataException>(() => file.Read("a")).Message);
    }

    [RequiresFact(Tool.PlainPython)]
    public void Python_reads_what_is_written()
    {
        var model = new MiniTransformer(vocabSize: 5, modelDim: 4, heads: 2, layers: 1, contextLength: 3);
        var path = scratch.PathOf("x.safetensors");
        model.Save(path);

        using var read = JsonDocument.Parse(Tool.Run(Tool.Python, Scratch.Given("make_checkpoints.py"), "read", path));
        Assert.Contains("\"ModelDim\":4", read.RootElement.GetProperty("metadata").GetProperty("gradscope.config").GetString());
        var tensors = read.RootElement.GetProperty("tensors");
        Assert.Equal(model.Parameters.Count, tensors.EnumerateObject().Count());
        foreach (var parameter in model.Parameters)
        {
            var tensor = tensors.GetProperty(parameter.Name);
            Assert.Equal("F32", tensor.GetProperty("dtype").GetString());
            Assert.Equal(parameter.Shape.ToArray(), tensor.GetProperty("shape").EnumerateArray().Select(size => size.GetInt32()));
            Assert.Equal(parameter.Value.Values.ToArray(), tensor.GetProperty("values").EnumerateArray().Select(value => (float)value.GetDouble()));
        }
    }
}
