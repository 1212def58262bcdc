using System.Text.Json;

namespace GradScope.Tests;

public sealed class Gpt2TokenizerTests : IDisposable
{
    // The bytes h e l o, blank (Ġ), ' s 1 2, newline (Ċ), and é as its two bytes; merged: he, ll, hell, ␣hell, 's, 12.
    private static readonly string[] Tokens =
        ["h", "e", "l", "o", "Ġ", "'", "s", "1", "2", "Ċ", "Ã", "©", "he", "ll", "hell", "Ġhell", "'s", "12", "<|endoftext|>"];

    private static readonly string[] Merges = ["#version: 0.2", "h e", "l l", "he ll", "Ġ hell", "' s", "1 2", ""];

    private readonly string folder = Directory.CreateTempSubdirectory("gradscope-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("hello", new[] { 14, 3 })]
    [InlineData("hello hell", new[] { 14, 3, 15 })]
    [InlineData("  hell", new[] { 4, 15 })]
    [InlineData("hell12", new[] { 14, 17 })]
    [InlineData("hell's", new[] { 14, 16 })]
    [InlineData("hell 's", new[] { 14, 4, 5, 6 })]
    [InlineData("he\n", new[] { 12, 9 })]
    [InlineData("é", new[] { 10, 11 })]
    [InlineData("o<|endoftext|>hell", new[] { 3, 18, 14 })]
    [InlineData("", new int[0])]
    public void A_text_becomes_its_tokens_and_comes_back(string text, int[] expected)
    {
        var tokenizer = Load();
        Assert.Equal(expected, tokenizer.Encode(text));
        Assert.Equal(text, tokenizer.Decode(expected));
    }

    [Fact]
    public void A_text_splits_into_what_its_tokens_say()
    {
        var tokenizer = Load();
        Assert.Equal(["hell", "o", " hell", "\uFFFD", "\uFFFD"], tokenizer.Split("hello hellé"));
        Assert.Equal((19, 18), (tokenizer.VocabSize, tokenizer.EndOfTextId));
    }

    [Theory]
    [InlineData("hex", "'x' at place 2")]
    [InlineData("é😀", "'😀' at place 1")]
    public void What_the_vocabulary_lacks_is_named(string text, string message) =>
        Assert.Contains(message, Assert.Throws<ArgumentException>(() => Load().Encode(text)).Message);

    [Fact]
    public void Half_a_surrogate_pair_is_named() =>
        Assert.Contains("half a surrogate pair at place 1", Assert.Throws<ArgumentException>(() => Load().Encode("h\ud800")).Message);

    [Fact]
    public void An_id_outside_the_vocabulary_is_named() =>
        Assert.Contains("id 19 is outside the vocabulary, which is 0 to 18", Assert.Throws<ArgumentOutOfRangeException>(() => Load().Decode(3, 19)).Message);

    [Theory]
    [InlineData("[]", "not a JSON object")]
    [InlineData("{", "not a JSON object")]
    [InlineData("{}", "no tokens")]
    [InlineData("null", "no tokens")]
    [InlineData("""{"a":0.5}""", "not a JSON object")]
    [InlineData("""{"a":0,"a":1}""", "not a JSON object")]
    [InlineData("""{"a":0,"b":2}""", "“b” has id 2")]
    [InlineData("""{"a":0,"b":0}""", "“b” has id 0")]
    public void A_broken_vocabulary_is_refused(string json, string message)
    {
        File.WriteAllText(Path.Combine(folder, "vocab.json"), json);
        File.WriteAllText(Path.Combine(folder, "merges.txt"), "");
        var error = Assert.Throws<InvalidDataException>(() => Gpt2Tokenizer.Load(folder));
        Assert.Contains("vocab.json: ", error.Message);
        Assert.Contains(message, error.Message);
    }

    [Theory]
    [InlineData("h e l", "line 2 is “h e l”")]
    [InlineData("he", "line 2 is “he”")]
    [InlineData("h x", "line 2 merges “h” and “x”, but “x” is not")]
    [InlineData("h o", "but “ho” is not")]
    public void Broken_merges_are_refused(string line, string message)
    {
        var error = Assert.Throws<InvalidDataException>(() => Load("#version: 0.2", line));
        Assert.Contains("merges.txt: ", error.Message);
        Assert.Contains(message, error.Message);
    }

    [Fact]
    public void Missing_files_are_named() =>
        Assert.Contains("vocab.json", Assert.Throws<FileNotFoundException>(() => Gpt2Tokenizer.Load(folder)).Message);

    [Fact]
    public void A_model_continues_a_text()
    {
        var tokenizer = Load();
        var model = new MiniTransformer(tokenizer.VocabSize);
        var text = model.Generate(tokenizer, "hello", length: 5);
        Assert.StartsWith("hello", text);
        Assert.Equal(text, model.Generate(tokenizer, "hello", length: 5));
        Assert.Contains("tokenizer 19", Assert.Throws<ArgumentException>(() => new MiniTransformer(7).Generate(tokenizer, "hello")).Message);
    }

    private Gpt2Tokenizer Load(params string[] merges)
    {
        File.WriteAllText(Path.Combine(folder, "vocab.json"), JsonSerializer.Serialize(Tokens.Index().ToDictionary(t => t.Item, t => t.Index)));
        File.WriteAllLines(Path.Combine(folder, "merges.txt"), merges.Length > 0 ? merges : Merges);
        return Gpt2Tokenizer.Load(folder);
    }
}
