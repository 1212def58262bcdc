using System.Text.Json;
using System.Text.Json.Serialization;

namespace GradScope;

/// <summary>Our entries in a safetensors file's metadata: records as JSON.</summary>
internal static class CheckpointJson
{
    /// <summary>The key under which a model's <see cref="TransformerConfig"/> stands.</summary>
    public const string ConfigKey = "gradscope.config";

    private static readonly JsonSerializerOptions Options = new()
    {
        IgnoreReadOnlyProperties = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        Converters = { new JsonStringEnumConverter(namingPolicy: null, allowIntegerValues: false) },
    };

    public static string Write<T>(T value) => JsonSerializer.Serialize(value, Options);

    /// <exception cref="InvalidDataException">The file has no such entry, or one that does not hold a <typeparamref name="T"/>.</exception>
    public static T Read<T>(Safetensors file, string key, string remedy)
        where T : class
    {
        if (!file.Metadata.TryGetValue(key, out var json))
        {
            throw file.Refused($"its metadata has no '{key}'. {remedy}");
        }

        try
        {
            return JsonSerializer.Deserialize<T>(json, Options) ?? throw new JsonException("it is null");
        }
        catch (JsonException e)
        {
            throw file.Refused($"'{key}' in its metadata cannot be read ({e.Message.TrimEnd('.')}). {remedy}", e);
        }
    }
}
