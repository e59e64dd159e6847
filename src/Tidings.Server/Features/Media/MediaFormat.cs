namespace Tidings.Server.Features.Media;

/// <summary>
/// What an uploaded file is, told from its first bytes alone: neither its name nor what the client says of it counts. What browsers can't
/// show, and what they might run (SVG, HTML), is not taken.
/// </summary>
/// <param name="Type">What a post with it is: <c>image</c>, <c>video</c> or <c>audio</c>.</param>
/// <param name="ContentType">What it is served as.</param>
/// <param name="Extension">What its name ends with where it is saved.</param>
internal sealed record MediaFormat(string Type, string ContentType, string Extension)
{
    /// <summary>How many of the first bytes tell what it is.</summary>
    public const int SignatureBytes = 64;

    public static readonly MediaFormat Png = new("image", "image/png", "png");
    public static readonly MediaFormat Jpeg = new("image", "image/jpeg", "jpg");
    public static readonly MediaFormat Gif = new("image", "image/gif", "gif");
    public static readonly MediaFormat WebP = new("image", "image/webp", "webp");
    public static readonly MediaFormat Avif = new("image", "image/avif", "avif");

    /// <summary>What is taken, for people.</summary>
    public const string Names = "PNG, JPEG, GIF, WebP, AVIF, MP4, QuickTime, WebM, Ogg, MP3, M4A, AAC, WAV, FLAC";

    private static readonly MediaFormat Mp4 = new("video", "video/mp4", "mp4");
    private static readonly MediaFormat QuickTime = new("video", "video/quicktime", "mov");
    private static readonly MediaFormat WebM = new("video", "video/webm", "webm");
    private static readonly MediaFormat OggVideo = new("video", "video/ogg", "ogv");
    private static readonly MediaFormat OggAudio = new("audio", "audio/ogg", "ogg");
    private static readonly MediaFormat M4a = new("audio", "audio/mp4", "m4a");
    private static readonly MediaFormat Mp3 = new("audio", "audio/mpeg", "mp3");
    private static readonly MediaFormat Aac = new("audio", "audio/aac", "aac");
    private static readonly MediaFormat Wav = new("audio", "audio/wav", "wav");
    private static readonly MediaFormat Flac = new("audio", "audio/flac", "flac");

    private static readonly MediaFormat[] All = [Png, Jpeg, Gif, WebP, Avif, Mp4, QuickTime, WebM, OggVideo, OggAudio, M4a, Mp3, Aac, Wav, Flac];

    /// <summary>The format of a file that begins like this; null if it is none of ours.</summary>
    public static MediaFormat? Of(ReadOnlySpan<byte> head)
    {
        if (head.StartsWith(PngSignature)) return Png;
        if (head.StartsWith(JpegSignature)) return Jpeg;
        if (head.StartsWith("GIF87a"u8) || head.StartsWith("GIF89a"u8)) return Gif;
        if (head.Length >= 12 && head.StartsWith("RIFF"u8)) return OfRiff(head.Slice(8, 4));
        if (head.Length >= 12 && head.Slice(4, 4).SequenceEqual("ftyp"u8)) return OfBrand(head.Slice(8, 4));
        if (head.StartsWith(EbmlSignature)) return head.IndexOf("webm"u8) >= 0 ? WebM : null; // its other users are Matroska's files
        if (head.StartsWith("OggS"u8)) return head.IndexOf("theora"u8) >= 0 ? OggVideo : OggAudio;
        if (head.StartsWith("fLaC"u8)) return Flac;
        if (head.StartsWith("ID3"u8)) return Mp3;
        return head.Length >= 2 && head[0] == 0xFF ? OfFrame(head[1]) : null;
    }

    /// <summary>The format that is served as this; null if none of ours is.</summary>
    public static MediaFormat? Served(string contentType) => Array.Find(All, format => format.ContentType == contentType);

    private static ReadOnlySpan<byte> PngSignature => [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A];

    private static ReadOnlySpan<byte> JpegSignature => [0xFF, 0xD8, 0xFF];

    private static ReadOnlySpan<byte> EbmlSignature => [0x1A, 0x45, 0xDF, 0xA3];

    private static MediaFormat? OfRiff(ReadOnlySpan<byte> kind) => kind.SequenceEqual("WEBP"u8) ? WebP : kind.SequenceEqual("WAVE"u8) ? Wav : null;

    private static MediaFormat? OfBrand(ReadOnlySpan<byte> brand)
    {
        if (brand.SequenceEqual("avif"u8) || brand.SequenceEqual("avis"u8)) return Avif;
        if (brand.SequenceEqual("M4A "u8) || brand.SequenceEqual("M4B "u8)) return M4a;
        if (brand.SequenceEqual("qt  "u8)) return QuickTime;
        return brand.StartsWith("iso"u8) || brand.StartsWith("mp4"u8) || brand.SequenceEqual("avc1"u8) || brand.SequenceEqual("M4V "u8)
            || brand.SequenceEqual("MSNV"u8) || brand.SequenceEqual("dash"u8) || brand.SequenceEqual("3gp4"u8) || brand.SequenceEqual("3gp5"u8)
            ? Mp4
            : null;
    }

    /// <summary>By the second byte of an MPEG audio frame: the layer tells MP3 from AAC in ADTS frames.</summary>
    private static MediaFormat? OfFrame(byte second) => (second & 0xF6) switch
    {
        0xF2 => Mp3, // MPEG 1 or 2, layer III
        0xF0 => Aac,
        _ => null,
    };
}
