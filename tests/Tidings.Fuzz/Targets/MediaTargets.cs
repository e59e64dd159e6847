using System.Text;
using Microsoft.AspNetCore.Http;
using Tidings.Server.Features.Media;
using Tidings.Server.Webhooks;
using static Tidings.Fuzz.WrongAnswerException;

namespace Tidings.Fuzz.Targets;

/// <summary>Uploaded files, and what comes from a payments' provider before it is known that it does.</summary>
internal static class MediaTargets
{
    private static readonly byte[] Key = Encoding.ASCII.GetBytes("0123456789abcdef0123456789abcdef");
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000);

    public static IReadOnlyList<Target> List { get; } =
    [
        new("media-head", ["\u0089PNG\r\n\u001a\n", "IHDR", "GIF89a", "RIFF", "WEBP", "VP8X", "VP8L", "VP8 ", "ftypavif", "ispe", "Exif\0\0", "MM\0*", "II*\0", "OggS", "ID3", "fLaC"], Head),
        new("webhook-signature", ["\n", "v1,", "v2,", " ", "==", "1700000000", "-1", "99999999999999999999"], Signature),
    ];

    private static void Head(byte[] input)
    {
        if (MediaFormat.Of(input.AsSpan(0, Math.Min(input.Length, MediaFormat.SignatureBytes))) is not { } format) return;
        if (ImageSize.Of(format, input) is { } size) Unless(size.Width is > 0 and <= 65_535 && size.Height is > 0 and <= 65_535, $"a picture of {size}");
    }

    /// <summary>Id, time and signatures, each on a line, of a body that nobody has signed.</summary>
    private static void Signature(byte[] input)
    {
        var lines = Encoding.Latin1.GetString(input).Split('\n', 3);
        if (lines.Length < 3) return;
        var headers = new HeaderDictionary { [StandardWebhook.IdHeader] = lines[0], [StandardWebhook.TimestampHeader] = lines[1], [StandardWebhook.SignatureHeader] = lines[2] };
        Unless(!StandardWebhook.IsSigned(Key, headers, "{}"u8, Now), "a message that nobody signed is accepted");
        if (StandardWebhook.KeyOf(lines[0]) is { } key) Unless(key.Length is >= 24 and <= 64, $"a key of {key.Length} bytes");
    }
}
