using System.Buffers.Binary;
using System.Text;

namespace GradScope.Tests.Checkpoints;

/// <summary>A folder of a test's own, gone with it.</summary>
public sealed class Scratch : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("gradscope-").FullName;

    public string Folder => folder;

    public string PathOf(string name) => Path.Combine(folder, name);

    /// <summary>A file of these bytes.</summary>
    public string Write(ReadOnlySpan<byte> content, string name = "x.safetensors")
    {
        File.WriteAllBytes(PathOf(name), content);
        return PathOf(name);
    }

    /// <summary>A safetensors file of this header, which need not be a right one, and that many bytes of data.</summary>
    public string Write(string header, int data = 0) => Write(Bytes(Encoding.UTF8.GetBytes(header), data));

    public static byte[] Bytes(ReadOnlySpan<byte> header, int data = 0)
    {
        var bytes = new byte[sizeof(ulong) + header.Length + data];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, (ulong)header.Length);
        header.CopyTo(bytes.AsSpan(sizeof(ulong)));
        return bytes;
    }

    /// <summary>A file that make_checkpoints.py wrote.</summary>
    public static string Given(string name) => Path.Combine(AppContext.BaseDirectory, "Checkpoints", name);

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>Changes a safetensors file in one to four places; half of them are in its header, which most checks read.</summary>
    public static void Damage(ref byte[] bytes, RandomStream random)
    {
        var header = sizeof(ulong) + BitConverter.ToInt32(bytes);
        for (var changes = 1 + random.Next(4); changes > 0; changes--)
        {
            Damage(ref bytes, random, header);
        }
    }

    private static void Damage(ref byte[] bytes, RandomStream random, int header)
    {
        var place = random.Next(random.Next(2) == 0 ? Math.Min(header, bytes.Length) : bytes.Length);
        switch (random.Next(6))
        {
            case 0:
                bytes = bytes[..Math.Max(8, place)];
                break;
            case 1:
                bytes = [.. bytes, .. new byte[1 + random.Next(9)]];
                break;
            case 2:
                bytes[place] = (byte)random.Next(256);
                break;
            case 3:
                bytes[place] ^= (byte)(1 << random.Next(8));
                break;
            case 4:
                bytes[place] = Encoding.ASCII.GetBytes("0123456789[]{},:\"\\-.eE ")[random.Next(23)];
                break;
            default:
                var other = random.Next(bytes.Length);
                (bytes[place], bytes[other]) = (bytes[other], bytes[place]);
                break;
        }
    }
}
