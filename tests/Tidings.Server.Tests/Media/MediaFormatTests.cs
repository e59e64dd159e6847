using System.Buffers.Binary;
using System.Text;
using Shouldly;
using Tidings.Server.Features.Media;
using Xunit;

namespace Tidings.Server.Tests.Media;

public sealed class MediaFormatTests
{
    [Theory]
    [InlineData("89504E470D0A1A0A0000000D49484452", "image/png")]
    [InlineData("FFD8FFE000104A464946", "image/jpeg")]
    [InlineData("474946383961", "image/gif")]
    [InlineData("52494646000000005745425056503820", "image/webp")]
    [InlineData("524946460000000057415645666D7420", "audio/wav")]
    [InlineData("0000001C66747970617669660000", "image/avif")]
    [InlineData("0000001C6674797069736F6D0000", "video/mp4")]
    [InlineData("0000001C667479706D7034320000", "video/mp4")]
    [InlineData("0000001C6674797071742020", "video/quicktime")]
    [InlineData("0000001C667479704D344120", "audio/mp4")]
    [InlineData("1A45DFA39F4286810142F7810142F2810442F381084282847765626D", "video/webm")]
    [InlineData("4F67675300020000000000000000", "audio/ogg")]
    [InlineData("664C614300000022", "audio/flac")]
    [InlineData("494433040000", "audio/mpeg")]
    [InlineData("FFFB9064", "audio/mpeg")]
    [InlineData("FFF15080", "audio/aac")]
    public void A_file_is_what_its_first_bytes_say(string head, string contentType) =>
        MediaFormat.Of(Convert.FromHexString(head))!.ContentType.ShouldBe(contentType);

    [Theory]
    [InlineData("<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>")]
    [InlineData("<!doctype html><script>alert(1)</script>")]
    [InlineData("%PDF-1.7")]
    [InlineData("MZ")]
    [InlineData("GIF8")]
    [InlineData("RIFF    AVI ")]
    [InlineData("\u0001")]
    public void What_browsers_run_or_cannot_show_is_none(string content) => MediaFormat.Of(Encoding.Latin1.GetBytes(content)).ShouldBeNull();

    [Fact]
    public void A_matroska_file_is_no_webm() =>
        MediaFormat.Of(Convert.FromHexString("1A45DFA3A34286810142F7810142F2810442F381084282886D6174726F736B61")).ShouldBeNull();

    [Fact]
    public void Pictures_are_measured()
    {
        ImageSize.Of(MediaFormat.Png, Pictures.Png(1200, 800)).ShouldBe((1200, 800));
        ImageSize.Of(MediaFormat.Gif, [.. "GIF89a"u8, 0x20, 0x03, 0x58, 0x02]).ShouldBe((800, 600));
        ImageSize.Of(MediaFormat.Jpeg, Pictures.Jpeg(4032, 3024, orientation: 1)).ShouldBe((4032, 3024));
        ImageSize.Of(MediaFormat.WebP, WebP("VP8X", 24, [0x3F, 0x06, 0x00, 0xAF, 0x04, 0x00])).ShouldBe((1600, 1200));
        ImageSize.Of(MediaFormat.WebP, WebP("VP8 ", 26, [0x40, 0x06, 0xB0, 0x04])).ShouldBe((1600, 1200));
        ImageSize.Of(MediaFormat.WebP, WebP("VP8L", 21, Little((1600 - 1) | ((1200 - 1) << 14)))).ShouldBe((1600, 1200));
        ImageSize.Of(MediaFormat.Avif, [.. new byte[20], .. "ispe"u8, 0, 0, 0, 0, .. Big(640), .. Big(480)]).ShouldBe((640, 480));

        static byte[] WebP(string chunk, int at, byte[] size)
        {
            var file = new byte[40];
            "RIFF"u8.CopyTo(file);
            "WEBP"u8.CopyTo(file.AsSpan(8));
            Encoding.ASCII.GetBytes(chunk).CopyTo(file, 12);
            size.CopyTo(file, at);
            return file;
        }

        static byte[] Little(int value) => [.. BitConverter.GetBytes(value)];
        static byte[] Big(int value)
        {
            var bytes = new byte[4];
            BinaryPrimitives.WriteInt32BigEndian(bytes, value);
            return bytes;
        }
    }

    [Theory]
    [InlineData(3, false)]
    [InlineData(6, true)]
    [InlineData(8, true)]
    public void A_photograph_taken_sideways_is_turned(int orientation, bool isTurned) =>
        ImageSize.Of(MediaFormat.Jpeg, Pictures.Jpeg(4032, 3024, orientation)).ShouldBe(isTurned ? (3024, 4032) : (4032, 3024));

    [Fact]
    public void What_cannot_be_measured_has_no_size()
    {
        var jpeg = Pictures.Jpeg(4032, 3024, orientation: 6);
        for (var length = 0; length < jpeg.Length - 4; length++) ImageSize.Of(MediaFormat.Jpeg, jpeg.AsSpan(0, length)).ShouldBeNull();
        ImageSize.Of(MediaFormat.Png, Pictures.Png(0, 800)).ShouldBeNull();
        ImageSize.Of(MediaFormat.Png, Pictures.Png(-1, 800)).ShouldBeNull();
    }
}

/// <summary>The beginnings of pictures.</summary>
internal static class Pictures
{
    public static byte[] Png(int width, int height)
    {
        byte[] file = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13, .. "IHDR"u8, .. new byte[17]];
        BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(16), width);
        BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(20), height);
        return file;
    }

    public static byte[] Jpeg(ushort width, ushort height, int orientation)
    {
        byte[] exif = [.. "Exif\0\0"u8, .. "MM\0*"u8, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, (byte)orientation, 0, 0];
        return
        [
            0xFF, 0xD8, 0xFF, 0xE1, 0, (byte)(exif.Length + 2), .. exif,
            0xFF, 0xDB, 0, 4, 0, 0,
            0xFF, 0xC2, 0, 11, 8, (byte)(height >> 8), (byte)height, (byte)(width >> 8), (byte)width, 1, 0, 0, 0,
        ];
    }
}
