namespace GradScope;

public sealed partial class MiniTransformer
{
    /// <summary>The prefix of tensors in a file that belong to a <see cref="Trainer"/> and not to the model.</summary>
    internal const string TrainingPrefix = "training.";

    /// <summary>
    /// Writes weights and configuration in the safetensors format, each tensor by its parameter's name, in F32. The file is moved
    /// to its place when it is whole.
    /// </summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Save(string path) => SafetensorsWriter.Write(path, [.. Parts()], Metadata());

    /// <summary>Reads a model that <see cref="Save"/> or <see cref="Trainer.Save"/> wrote, or any file that has its parameters' names.</summary>
    /// <param name="path">The file.</param>
    /// <param name="config">The configuration, for a file that does not tell it; where both do, this one counts.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">
    /// The file is damaged, has no configuration and none is given, or lacks a tensor, has one too many, or one of another shape.
    /// </exception>
    /// <exception cref="ArgumentException">The given configuration contradicts itself.</exception>
    public static MiniTransformer Load(string path, TransformerConfig? config = null)
    {
        using var file = Safetensors.Open(path);
        config?.Validate();
        config ??= ReadConfig(file);
        return new StoredWeights(file, name => new(name)).Build(config, name => name.StartsWith(TrainingPrefix, StringComparison.Ordinal));
    }

    internal IEnumerable<SafetensorsPart> Parts() =>
        Parameters.Select(p => SafetensorsPart.Of(p.Name, p.Shape, p.ValueBuffer.Memory));

    internal Dictionary<string, string> Metadata() => new() { [CheckpointJson.ConfigKey] = CheckpointJson.Write(Config) };

    /// <exception cref="InvalidDataException">The file has no configuration or one that contradicts itself.</exception>
    internal static TransformerConfig ReadConfig(Safetensors file)
    {
        var config = CheckpointJson.Read<TransformerConfig>(
            file, CheckpointJson.ConfigKey, "Give the configuration: MiniTransformer.Load(path, new TransformerConfig { … }); for GPT-2's and nanoGPT's files call Gpt2Checkpoint.Load");
        try
        {
            config.Validate();
        }
        catch (ArgumentException e)
        {
            throw file.Refused($"the configuration in its metadata contradicts itself ({e.Message.TrimEnd('.')}). Give the right one: MiniTransformer.Load(path, new TransformerConfig {{ … }})", e);
        }

        return config;
    }
}
