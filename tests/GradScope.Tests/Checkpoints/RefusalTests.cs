using System.Globalization;

namespace GradScope.Tests.Checkpoints;

/// <summary>Files that lie: each is refused with file, tensor, what is wrong and a remedy, and without an allocation of the size it claims.</summary>
public sealed class RefusalTests : IDisposable
{
    private readonly Scratch scratch = new();

    public void Dispose() => scratch.Dispose();

    [Theory]
    [InlineData("a list", "[1, 2]", 0, "does not start with '{'")]
    [InlineData("blanks first", " {}", 0, "does not start with '{'")]
    [InlineData("no end", """{"a":{"dtype":"F32","shape":[1]""", 4, "not valid JSON")]
    [InlineData("two headers", "{}{}", 0, "not valid JSON")]
    [InlineData("half a surrogate pair", """{"\ud800":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "not valid JSON")]
    [InlineData("deep", """{"a":{"b":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[""", 0, "'b'")]
    [InlineData("tensor is no object", """{"a":7}""", 0, "tensor 'a' is not an object")]
    [InlineData("dtype is no text", """{"a":{"dtype":32,"shape":[1],"data_offsets":[0,4]}}""", 4, "dtype of tensor 'a'")]
    [InlineData("dtype is unknown", """{"a":{"dtype":"F33","shape":[1],"data_offsets":[0,4]}}""", 4, "dtype 'F33'")]
    [InlineData("shape is no list", """{"a":{"dtype":"F32","shape":1,"data_offsets":[0,4]}}""", 4, "shape of tensor 'a'")]
    [InlineData("size below 0", """{"a":{"dtype":"F32","shape":[-1,-1],"data_offsets":[0,4]}}""", 4, "shape of tensor 'a'")]
    [InlineData("size is a fraction", """{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}""", 4, "shape of tensor 'a'")]
    [InlineData("size overflows", """{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}}""", 4, "shape of tensor 'a'")]
    [InlineData("sizes overflow", """{"a":{"dtype":"F32","shape":[4294967296,4294967296,4294967296,4294967296],"data_offsets":[0,0]}}""", 0, "tensor 'a' is F32 of shape")]
    [InlineData("sizes overflow to right", """{"a":{"dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,4]}}""", 4, "tensor 'a' is F32 of shape")]
    [InlineData("one offset", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}""", 4, "two data_offsets")]
    [InlineData("three offsets", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}""", 4, "two data_offsets")]
    [InlineData("offset below 0", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}""", 4, "data_offsets of tensor 'a'")]
    [InlineData("no dtype", """{"a":{"shape":[1],"data_offsets":[0,4]}}""", 4, "tensor 'a' needs dtype")]
    [InlineData("no shape", """{"a":{"dtype":"F32","data_offsets":[0,4]}}""", 4, "tensor 'a' needs dtype")]
    [InlineData("unknown field", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"more":0}}""", 4, "'more'")]
    [InlineData("field twice", """{"a":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}}""", 4, "'shape' twice")]
    [InlineData("name twice", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "'a' is in the header twice")]
    [InlineData("name twice, once escaped", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"\u0061":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "'a' is in the header twice")]
    [InlineData("metadata twice", """{"__metadata__":{},"__metadata__":{}}""", 0, "'__metadata__' is in the header twice")]
    [InlineData("metadata key twice", """{"__metadata__":{"k":"1","k":"2"}}""", 0, "'k' twice")]
    [InlineData("metadata is no text", """{"__metadata__":{"k":1}}""", 0, "__metadata__ 'k' is not a text")]
    [InlineData("offsets misordered", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}""", 4, "end before they begin")]
    [InlineData("too few bytes for the shape", """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", 4, "tensor 'a' is F32 of shape (2)")]
    [InlineData("too many bytes for the type", """{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,8]}}""", 8, "tensor 'a' is F16 of shape (2)")]
    [InlineData("past the end", """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 4, "tensor 'a' ends at byte 8 of the data, but the file holds 4")]
    [InlineData("far past the end", """{"a":{"dtype":"F32","shape":[500000000000],"data_offsets":[0,2000000000000]}}""", 4, "tensor 'a' ends at byte 2000000000000")]
    [InlineData("overlap", """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "tensor 'b' begins at byte 4 of the data, but what stands before it ends at 8: they overlap")]
    [InlineData("gap", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}""", 12, "there is a gap")]
    [InlineData("bytes at the end", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 7, "3 bytes follow the last tensor")]
    public void A_lying_header_is_refused(string what, string header, int data, string message)
    {
        var error = Refuse(scratch.Write(header, data));
        Assert.True(error.Contains(message), $"{what}: {error}");
    }

    [Fact]
    public void Too_many_dimensions_are_refused() =>
        Assert.Contains("shape of tensor 'a'", Refuse(scratch.Write("""{"a":{"dtype":"F32","shape":[1""" + string.Concat(Enumerable.Repeat(",1", 64)) + """],"data_offsets":[0,4]}}""", 4)));

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    public void A_file_too_short_for_a_length_is_refused(int bytes) =>
        Assert.Contains($"it has {bytes} bytes", Refuse(scratch.Write(new byte[bytes])));

    [Theory]
    [InlineData(3ul, "header of 3 bytes, but only 2 follow")]
    [InlineData(100_000_000ul, "header of 100,000,000 bytes, but only 2 follow")]
    [InlineData(100_000_001ul, "the format allows 100,000,000")]
    [InlineData(ulong.MaxValue, "header of 18,446,744,073,709,551,615 bytes")]
    public void A_lying_length_of_the_header_is_refused(ulong length, string message) =>
        Assert.Contains(message, Refuse(scratch.Write([.. BitConverter.GetBytes(length), (byte)'{', (byte)'}'])));

    [Fact]
    public void A_header_that_is_not_UTF8_is_refused() =>
        Assert.Contains("not UTF-8", Refuse(scratch.Write(Scratch.Bytes([(byte)'{', (byte)'"', 0xC3, 0x28, (byte)'"', (byte)'}']))));

    [Fact]
    public void A_name_of_megabytes_is_cut_in_the_message()
    {
        var error = Refuse(scratch.Write($$"""{"{{new string('n', 1 << 20)}}":7}"""));
        Assert.True(error.Length < 1000, $"the message has {error.Length} characters.");
    }

    [Fact]
    public void Messages_are_the_same_in_every_culture()
    {
        var before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("de-DE");
            Assert.Contains("100,000,000", Refuse(scratch.Write(BitConverter.GetBytes(ulong.MaxValue))));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void Every_truncation_of_a_real_file_is_refused()
    {
        var whole = File.ReadAllBytes(Scratch.Given("types.safetensors"));
        for (var length = 0; length < whole.Length; length++)
        {
            Refuse(scratch.Write(whole.AsSpan(0, length)));
        }
    }

    [Fact]
    public void Damaged_models_and_trainings_give_one_kind_of_error()
    {
        var task = new Names(["anna", "hanna", "anton", "nathan"]);
        var whole = NewTrainer();
        whole.Train(2);
        whole.Save(scratch.PathOf("whole.safetensors"));
        var content = File.ReadAllBytes(scratch.PathOf("whole.safetensors"));
        var random = new RandomStream(21);
        var refused = 0;
        for (var i = 0; i < 1000; i++)
        {
            var bytes = (byte[])content.Clone();
            Scratch.Damage(ref bytes, random);
            var path = scratch.Write(bytes);
            foreach (var load in (Action[])[() => MiniTransformer.Load(path), () => NewTrainer().Resume(path)])
            {
                try
                {
                    load();
                }
                catch (InvalidDataException)
                {
                    refused++;
                }
            }
        }

        Assert.InRange(refused, 500, 1900);

        Trainer NewTrainer() => new(new MiniTransformer(task.VocabSize, modelDim: 8, heads: 2, layers: 1, contextLength: 8), task) { BatchSize = 1 };
    }

    [Fact]
    public void Damaged_files_give_one_kind_of_error_and_allocate_no_more_than_ten_times_their_size()
    {
        var random = new RandomStream(20);
        byte[][] wholes = [File.ReadAllBytes(Scratch.Given("types.safetensors")), File.ReadAllBytes(Scratch.Given("nanogpt/model.safetensors"))];
        var (refused, read) = (0, 0);
        ReadAll(scratch.Write(wholes[1]));
        for (var i = 0; i < 3000; i++)
        {
            var bytes = (byte[])wholes[i % 2].Clone();
            Scratch.Damage(ref bytes, random);

            var path = scratch.Write(bytes);
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                ReadAll(path);
                read++;
            }
            catch (InvalidDataException e)
            {
                Assert.StartsWith($"Safetensors: {path}: ", e.Message);
                refused++;
            }

            // Beside what grows with the file, an exception on its way takes some 20 kB.
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(allocated < 10 * bytes.Length + 50_000, $"{allocated} bytes were allocated for a file of {bytes.Length}, damage {i}.");
        }

        Assert.True(refused > 1000 && read > 100, $"{refused} files were refused and {read} read: the damages do not reach both ways.");
    }

    /// <summary>Reads every tensor that the file claims to have and can be read.</summary>
    private static void ReadAll(string path)
    {
        using var file = Safetensors.Open(path);
        foreach (var tensor in file.Tensors.Where(t => t.DType is "F32" or "F64" or "F16" or "BF16" && t.ByteCount > 0 && t.Sizes.Length < 5))
        {
            file.Read(tensor.Name);
        }
    }

    /// <summary>The message with which a file is refused, once it names the file and what was allocated for it is small.</summary>
    private static string Refuse(string path)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var error = Assert.Throws<InvalidDataException>(() => Safetensors.Open(path));
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(allocated < 10 * new FileInfo(path).Length + 200_000, $"{allocated} bytes were allocated for a refusal: {error.Message}");
        Assert.StartsWith($"Safetensors: {path}: ", error.Message);
        Assert.True(error.Message.Count(c => c == '.') >= 2, $"“{error.Message}” tells no remedy.");
        return error.Message;
    }
}
