using System.IO.Compression;
using System.Text;
using Millrace.Primitives;
using Millrace.Saql.Files;

namespace Millrace.Saql.Tests;

public class ReferenceFileTests
{
    [Test]
    public void A_packed_file_that_was_cut_off_anywhere_is_told()
    {
        var lines = string.Concat(Enumerable.Range(0, 50).Select(i => $"r{i},{i * 7919 % 1009}\n"));
        byte[] packed = [.. Packed("room,limit\n"), .. Packed(lines)];
        Assert.That(ReferenceFile.Entries(packed, "rooms.csv.gz"), Has.Count.EqualTo(50));
        for (var cut = 1; cut < packed.Length; cut++)
        {
            if (packed.Length - cut == Packed("room,limit\n").Length) continue;
            var told = Assert.Throws<MillraceException>(() => ReferenceFile.Entries(packed[..^cut], "rooms.csv.gz"));
            Assert.That(told!.Error.Code, Is.EqualTo("SQ-0303"), $"{cut}");
            Assert.That(told.Message, Does.Contain("damaged"));
        }
    }

    private static byte[] Packed(string text)
    {
        using var target = new MemoryStream();
        using (var stream = new GZipStream(target, CompressionLevel.Fastest))
            stream.Write(Encoding.UTF8.GetBytes(text));
        return target.ToArray();
    }
}
