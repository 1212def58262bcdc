using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Unicode;

namespace GradScope;

/// <summary>
/// Reads and checks the header of a safetensors file: each tensor's type, shape and place must agree, and together the tensors must
/// cover the data once, without a gap or a rest.
/// </summary>
internal static class SafetensorsHeader
{
    public const string MetadataName = "__metadata__";

    private const int MostDimensions = 64;

    public static bool IsReadable(string dtype) => dtype is "F32" or "F64" or "F16" or "BF16";

    /// <param name="json">The header's bytes.</param>
    /// <param name="dataLength">How many bytes follow it in the file.</param>
    /// <returns>The tensors in the order of their data, and the free texts.</returns>
    /// <exception cref="FormatException">Anything is not as the format says; the message names what and the remedy.</exception>
    public static (ImmutableArray<SafetensorsEntry> Entries, IReadOnlyDictionary<string, string> Metadata) Parse(ReadOnlySpan<byte> json, long dataLength)
    {
        if (!Utf8.IsValid(json))
        {
            throw new FormatException("the header is not UTF-8. It is damaged or no safetensors file; copy or download it again");
        }

        if (json is not [(byte)'{', ..])
        {
            throw new FormatException("the header does not start with '{'. It is damaged or no safetensors file; copy or download it again");
        }

        try
        {
            var reader = new Utf8JsonReader(json);
            var (entries, metadata) = ReadHeader(ref reader);
            reader.Read();
            return (Layout(entries, dataLength), metadata);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // JsonReaderException tells the place; InvalidOperationException is half a surrogate pair in a string.
            throw new FormatException($"the header is not valid JSON ({e.Message.TrimEnd('.')}). It is damaged; copy or download it again", e);
        }
    }

    private static (List<SafetensorsEntry> Entries, Dictionary<string, string> Metadata) ReadHeader(ref Utf8JsonReader reader)
    {
        List<SafetensorsEntry> entries = [];
        HashSet<string> names = [];
        Dictionary<string, string> metadata = [];
        reader.Read();
        while (NextName(ref reader) is { } name)
        {
            if (!names.Add(name))
            {
                throw new FormatException($"{Quoted(name)} is in the header twice. Save it again with distinct names");
            }

            if (name == MetadataName)
            {
                ReadMetadata(ref reader, metadata);
            }
            else
            {
                entries.Add(ReadEntry(ref reader, name));
            }
        }

        return (entries, metadata);
    }

    private static void ReadMetadata(ref Utf8JsonReader reader, Dictionary<string, string> metadata)
    {
        Expect(ref reader, JsonTokenType.StartObject, MetadataName, "an object of texts");
        while (NextName(ref reader) is { } key)
        {
            Expect(ref reader, JsonTokenType.String, $"{MetadataName} {Quoted(key)}", "a text");
            if (!metadata.TryAdd(key, reader.GetString()!))
            {
                throw new FormatException($"{MetadataName} has {Quoted(key)} twice. Save it again with distinct keys");
            }
        }
    }

    private static SafetensorsEntry ReadEntry(ref Utf8JsonReader reader, string name)
    {
        string? dtype = null;
        ImmutableArray<long>? sizes = null;
        ImmutableArray<long>? offsets = null;
        Expect(ref reader, JsonTokenType.StartObject, $"tensor {Quoted(name)}", "an object with dtype, shape and data_offsets");
        while (NextName(ref reader) is { } field)
        {
            switch (field)
            {
                case "dtype" when dtype is null:
                    Expect(ref reader, JsonTokenType.String, $"dtype of tensor {Quoted(name)}", "a text such as \"F32\"");
                    dtype = reader.GetString()!;
                    break;
                case "shape" when sizes is null:
                    sizes = ReadNumbers(ref reader, $"shape of tensor {Quoted(name)}");
                    break;
                case "data_offsets" when offsets is null:
                    offsets = ReadNumbers(ref reader, $"data_offsets of tensor {Quoted(name)}");
                    break;
                default:
                    throw new FormatException($"tensor {Quoted(name)} has {Quoted(field)} twice, or the format does not know it. Save it again with dtype, shape and data_offsets alone");
            }
        }

        if (dtype is null || sizes is null || offsets is not [var begin, var end])
        {
            throw new FormatException($"tensor {Quoted(name)} needs dtype, shape and two data_offsets. Save it again with a writer that gives them");
        }

        if (begin > end)
        {
            throw new FormatException($"tensor {Quoted(name)} has data_offsets [{begin}, {end}], which end before they begin. Copy or download it again");
        }

        if (BitsOf(dtype) is not { } bits)
        {
            throw new FormatException($"tensor {Quoted(name)} has the dtype {Quoted(dtype)}, which the format does not know. Convert it to F32 before saving");
        }

        var wanted = sizes.Value.Aggregate((UInt128)bits, (product, size) => product > ulong.MaxValue ? product : product * (ulong)size);
        if (wanted != (UInt128)(ulong)(end - begin) * 8)
        {
            throw new FormatException($"tensor {Quoted(name)} is {dtype} of shape ({string.Join(", ", sizes.Value)}), which does not take the {end - begin} bytes of its data_offsets [{begin}, {end}]. Copy or download it again");
        }

        return new(name, dtype, sizes.Value, begin, end);
    }

    /// <summary>The entries by their place, once they cover the data from its first byte to its last.</summary>
    private static ImmutableArray<SafetensorsEntry> Layout(List<SafetensorsEntry> entries, long dataLength)
    {
        var position = 0L;
        ImmutableArray<SafetensorsEntry> ordered = [.. entries.OrderBy(entry => entry.Begin).ThenBy(entry => entry.End)];
        foreach (var entry in ordered)
        {
            if (entry.End > dataLength)
            {
                throw new FormatException($"tensor {Quoted(entry.Name)} ends at byte {entry.End} of the data, but the file holds {dataLength}. It is truncated; copy or download it again");
            }

            if (entry.Begin != position)
            {
                throw new FormatException($"tensor {Quoted(entry.Name)} begins at byte {entry.Begin} of the data, but what stands before it ends at {position}: {(entry.Begin < position ? "they overlap" : "there is a gap")}. Copy or download it again");
            }

            position = entry.End;
        }

        return position == dataLength
            ? ordered
            : throw new FormatException($"{dataLength - position} bytes follow the last tensor. It is damaged or was appended to; copy or download it again");
    }

    private static string? NextName(ref Utf8JsonReader reader)
    {
        reader.Read();
        return reader.TokenType == JsonTokenType.PropertyName ? reader.GetString() : null;
    }

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType token, string what, string wanted)
    {
        reader.Read();
        if (reader.TokenType != token)
        {
            throw new FormatException($"{what} is not {wanted}. Copy or download it again");
        }
    }

    private static ImmutableArray<long> ReadNumbers(ref Utf8JsonReader reader, string what)
    {
        Expect(ref reader, JsonTokenType.StartArray, what, "a list of numbers");
        Span<long> numbers = stackalloc long[MostDimensions];
        var count = 0;
        for (; reader.Read() && reader.TokenType != JsonTokenType.EndArray; count++)
        {
            if (count == MostDimensions || reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out numbers[count]) || numbers[count] < 0)
            {
                throw new FormatException($"{what} is not a list of up to {MostDimensions} whole numbers of 0 or more. Copy or download it again");
            }
        }

        return [.. numbers[..count]];
    }

    private static uint? BitsOf(string dtype) => dtype switch
    {
        "F4" => 4,
        "F6_E2M3" or "F6_E3M2" => 6,
        "BOOL" or "U8" or "I8" or "F8_E5M2" or "F8_E4M3" or "F8_E8M0" => 8,
        "I16" or "U16" or "F16" or "BF16" => 16,
        "I32" or "U32" or "F32" => 32,
        "I64" or "U64" or "F64" or "C64" => 64,
        _ => null,
    };

    /// <summary>A name for a message; a hostile one may be as long as the header.</summary>
    private static string Quoted(string name) => name.Length <= 100 ? $"'{name}'" : $"'{name[..100]}…'";
}
