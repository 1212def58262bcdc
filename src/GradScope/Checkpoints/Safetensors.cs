using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Numerics;
using Microsoft.Win32.SafeHandles;

namespace GradScope;

/// <summary>
/// A file of named tensors in the safetensors format, which PyTorch and Hugging Face read and write: eight bytes with the length
/// of a header, the header in JSON, the numbers in little-endian order. Opening reads and checks the header alone, before anything
/// of the tensors' size is allocated; <see cref="Read(string)"/> brings one tensor.
/// </summary>
public sealed class Safetensors : IDisposable
{
    /// <summary>The longest header that the format's reference implementation reads, in bytes.</summary>
    internal const int LongestHeader = 100_000_000;

    private const int LengthBytes = sizeof(ulong);
    private const int ChunkBytes = 1 << 16;

    private readonly SafeFileHandle file;
    private readonly Dictionary<string, SafetensorsEntry> byName;
    private readonly long start;

    private Safetensors(string path, SafeFileHandle file)
    {
        (Path, this.file) = (path, file);
        var length = RandomAccess.GetLength(file);
        if (length < LengthBytes)
        {
            throw Refused($"it has {length} bytes, but a safetensors file starts with {LengthBytes} that tell the length of its header. It is truncated or no safetensors file; copy or download it again");
        }

        Span<byte> prefix = stackalloc byte[LengthBytes];
        ReadBytes(prefix, 0);
        var headerLength = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (headerLength > LongestHeader)
        {
            throw Refused(FormattableString.Invariant($"it claims a header of {headerLength:N0} bytes, and the format allows {LongestHeader:N0}. It is damaged or no safetensors file; a PyTorch file (.pt, .bin) has to be converted with safetensors.torch.save_file"));
        }

        if (headerLength > (ulong)(length - LengthBytes))
        {
            throw Refused(FormattableString.Invariant($"it claims a header of {headerLength:N0} bytes, but only {length - LengthBytes:N0} follow. It is truncated; copy or download it again"));
        }

        start = LengthBytes + (long)headerLength;
        var header = new byte[headerLength];
        ReadBytes(header, LengthBytes);
        try
        {
            (Tensors, Metadata) = SafetensorsHeader.Parse(header, length - start);
        }
        catch (FormatException e)
        {
            throw Refused(e.Message, e);
        }

        byName = Tensors.ToDictionary(entry => entry.Name);
    }

    /// <summary>The file's path as it was given.</summary>
    public string Path { get; }

    /// <summary>What the file holds, in the order of its data.</summary>
    public ImmutableArray<SafetensorsEntry> Tensors { get; }

    /// <summary>The header's free texts by key, such as format: pt; empty where it has none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Opens a file and checks its whole header. Dispose it to close the file.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">
    /// The file is truncated, too long, no safetensors file, or its header contradicts itself or the file's length; the message names
    /// file, tensor, what is wrong and the remedy.
    /// </exception>
    public static Safetensors Open(string path)
    {
        if (!File.Exists(path))
        {
            throw new FileNotFoundException($"Safetensors: there is no file {System.IO.Path.GetFullPath(path)}; give the path of a .safetensors file.", path);
        }

        var file = File.OpenHandle(path);
        try
        {
            return new(path, file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Writes tensors as F32 to a temporary file beside <paramref name="path"/> and moves it there, so that a reader never meets half
    /// of one and what was there stays whole if anything fails.
    /// </summary>
    /// <param name="path">Where to; its folder must exist.</param>
    /// <param name="tensors">The tensors by name.</param>
    /// <param name="metadata">Free texts by key.</param>
    /// <exception cref="ArgumentException">Two tensors have one name, or one is called __metadata__.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, IEnumerable<KeyValuePair<string, Tensor>> tensors, IReadOnlyDictionary<string, string>? metadata = null) =>
        SafetensorsWriter.Write(path, [.. tensors.Select(pair => SafetensorsPart.Of(pair.Key, pair.Value.Shape, pair.Value.Memory))], metadata ?? ImmutableDictionary<string, string>.Empty);

    /// <summary>Whether there is a tensor of that name.</summary>
    public bool Contains(string name) => byName.ContainsKey(name);

    /// <summary>Reads one tensor. F16 and BF16 become float32 exactly, F64 is rounded to it.</summary>
    /// <exception cref="KeyNotFoundException">The file has no tensor of that name.</exception>
    /// <exception cref="InvalidDataException">
    /// The tensor is of another type, has more than 4 dimensions, an empty one, or more elements than an array holds; or the file was
    /// cut while it was open.
    /// </exception>
    public Tensor Read(string name)
    {
        var shape = ShapeOf(name);
        var values = new float[shape.ElementCount];
        Read<float>(name, values);
        return Tensor.Wrap(values, shape);
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => file.Dispose();

    /// <summary>"x.safetensors: 28 tensors, 124,412 bytes", in a line.</summary>
    public override string ToString() => FormattableString.Invariant($"{Path}: {Tensors.Length} tensors, {Tensors.Sum(entry => entry.ByteCount):N0} bytes");

    /// <summary>The shape of a tensor that <see cref="Read(string)"/> can bring; see there for what is refused.</summary>
    internal Shape ShapeOf(string name)
    {
        var entry = this[name];
        if (!SafetensorsHeader.IsReadable(entry.DType))
        {
            throw Refused($"tensor '{name}' is of type {entry.DType}; F32, F64, F16 and BF16 are read. Convert it before saving, with tensor.float() in PyTorch");
        }

        if (entry.Sizes.Length > 4 || entry.Sizes.Any(size => size == 0) || entry.Sizes.Aggregate(1L, (product, size) => product * size) > Array.MaxLength)
        {
            throw Refused($"tensor '{name}' is ({string.Join(", ", entry.Sizes)}); tensors here have up to 4 dimensions, none of them 0, and up to {Array.MaxLength} elements. Leave it out, or reshape it before saving");
        }

        return new([.. entry.Sizes.Select(size => (int)size)]);
    }

    /// <summary>Reads one tensor into a span of its length, without an array of its size in between.</summary>
    internal void Read<T>(string name, Span<T> target)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var entry = this[name];
        var width = (int)(entry.ByteCount / target.Length);
        var chunk = new byte[Math.Min(entry.ByteCount, ChunkBytes)];
        for (var done = 0; done < target.Length; done += chunk.Length / width)
        {
            var part = target.Slice(done, Math.Min(target.Length - done, chunk.Length / width));
            var bytes = chunk.AsSpan(0, part.Length * width);
            ReadBytes(bytes, start + entry.Begin + (long)done * width);
            Convert(entry.DType, bytes, part);
        }
    }

    internal InvalidDataException Refused(string what, Exception? cause = null) => new($"Safetensors: {Path}: {what}.", cause);

    private SafetensorsEntry this[string name] => byName.TryGetValue(name, out var entry)
        ? entry
        : throw new KeyNotFoundException($"Safetensors: {Path} has no tensor '{name}'; it has {string.Join(", ", Tensors.Take(20).Select(t => t.Name))}{(Tensors.Length > 20 ? ", …" : "")}.");

    private static void Convert<T>(string dtype, ReadOnlySpan<byte> bytes, Span<T> target)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (var i = 0; i < target.Length; i++)
        {
            target[i] = dtype switch
            {
                "F32" => T.CreateTruncating(BinaryPrimitives.ReadSingleLittleEndian(bytes[(4 * i)..])),
                "F64" => T.CreateTruncating(BinaryPrimitives.ReadDoubleLittleEndian(bytes[(8 * i)..])),
                "F16" => T.CreateTruncating(BinaryPrimitives.ReadHalfLittleEndian(bytes[(2 * i)..])),
                _ => T.CreateTruncating(BitConverter.Int32BitsToSingle(BinaryPrimitives.ReadInt16LittleEndian(bytes[(2 * i)..]) << 16)),
            };
        }
    }

    private void ReadBytes(Span<byte> target, long offset)
    {
        while (target.Length > 0)
        {
            var count = RandomAccess.Read(file, target, offset);
            if (count == 0)
            {
                throw Refused("it ended while it was read, shorter than when it was opened. Copy or download it again, and do not write to it meanwhile");
            }

            target = target[count..];
            offset += count;
        }
    }
}

/// <summary>A tensor's place in a safetensors file.</summary>
/// <param name="Name">Its name.</param>
/// <param name="DType">Its type, such as F32 or BF16.</param>
/// <param name="Sizes">The sizes of its dimensions.</param>
/// <param name="Begin">Its first byte, counted from the end of the header.</param>
/// <param name="End">The byte after its last.</param>
public sealed record SafetensorsEntry(string Name, string DType, ImmutableArray<long> Sizes, long Begin, long End)
{
    /// <summary>How many bytes its numbers take.</summary>
    public long ByteCount => End - Begin;
}
