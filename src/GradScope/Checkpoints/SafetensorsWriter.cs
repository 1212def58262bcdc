using System.Buffers;
using System.Buffers.Binary;
using System.Text.Json;

namespace GradScope;

/// <summary>A tensor to be written, whose numbers are taken from where they are.</summary>
/// <param name="Name">Its name in the file.</param>
/// <param name="Shape">Its shape.</param>
/// <param name="DType">Its type as the format calls it.</param>
/// <param name="Width">How many bytes an element takes.</param>
/// <param name="WriteElement">Brings the element of an index into its bytes.</param>
internal sealed record SafetensorsPart(string Name, Shape Shape, string DType, int Width, SafetensorsPart.ElementWriter WriteElement)
{
    public delegate void ElementWriter(int index, Span<byte> bytes);

    public long ByteCount => (long)Shape.ElementCount * Width;

    public static SafetensorsPart Of(string name, Shape shape, ReadOnlyMemory<float> values) => new(
        name, shape, "F32", sizeof(float), (i, bytes) => BinaryPrimitives.WriteSingleLittleEndian(bytes, values.Span[i]));

    public static SafetensorsPart Of(string name, Shape shape, ReadOnlyMemory<double> values) => new(
        name, shape, "F64", sizeof(double), (i, bytes) => BinaryPrimitives.WriteDoubleLittleEndian(bytes, values.Span[i]));
}

/// <summary>Writes safetensors files. Wider types come first, as the format's own writer has it, so that all numbers are aligned.</summary>
internal static class SafetensorsWriter
{
    private const int Alignment = 8;

    /// <exception cref="ArgumentException">Two tensors have one name, one is called __metadata__, or names and texts are too long for a header.</exception>
    public static void Write(string path, IReadOnlyList<SafetensorsPart> parts, IReadOnlyDictionary<string, string> metadata)
    {
        SafetensorsPart[] ordered = [.. parts.OrderByDescending(part => part.Width)];
        var header = Header(path, ordered, metadata);
        var target = Path.GetFullPath(path);
        var temporary = $"{target}.{Guid.NewGuid():N}.tmp";
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1 << 16))
            {
                Span<byte> number = stackalloc byte[sizeof(ulong)];
                BinaryPrimitives.WriteUInt64LittleEndian(number, (ulong)header.Length);
                stream.Write(number);
                stream.Write(header);
                foreach (var part in ordered)
                {
                    for (var i = 0; i < part.Shape.ElementCount; i++)
                    {
                        part.WriteElement(i, number);
                        stream.Write(number[..part.Width]);
                    }
                }
            }

            File.Move(temporary, target, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    private static ReadOnlySpan<byte> Header(string path, SafetensorsPart[] parts, IReadOnlyDictionary<string, string> metadata)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            if (metadata.Count > 0)
            {
                json.WriteStartObject(SafetensorsHeader.MetadataName);
                foreach (var (key, text) in metadata)
                {
                    json.WriteString(key, text);
                }

                json.WriteEndObject();
            }

            HashSet<string> names = [SafetensorsHeader.MetadataName];
            var position = 0L;
            foreach (var part in parts)
            {
                if (!names.Add(part.Name))
                {
                    throw new ArgumentException($"Safetensors: {path}: the name '{part.Name}' is given twice or is the format's own; give each tensor a name of its own.");
                }

                json.WriteStartObject(part.Name);
                json.WriteString("dtype", part.DType);
                json.WriteStartArray("shape");
                foreach (var size in part.Shape)
                {
                    json.WriteNumberValue(size);
                }

                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(position);
                json.WriteNumberValue(position += part.ByteCount);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        while (bytes.WrittenCount % Alignment != 0)
        {
            bytes.Write(" "u8);
        }

        return bytes.WrittenCount <= Safetensors.LongestHeader
            ? bytes.WrittenSpan
            : throw new ArgumentException(FormattableString.Invariant($"Safetensors: {path}: names and texts make a header of {bytes.WrittenCount:N0} bytes, and the format allows {Safetensors.LongestHeader:N0}; shorten them."));
    }
}
