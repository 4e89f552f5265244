import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.ResolverStyle;
import java.time.temporal.ChronoField;
import java.time.temporal.TemporalAccessor;
import java.time.temporal.TemporalQueries;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Random;
import java.util.Set;

/**
 * Writes what the JDK reads from texts of many formats: `java Oracle.java > rows.tsv` (JDK 17).
 *
 * A text is read if both the JDK's default style (SMART) and STRICT read it alike: SMART alone takes 31
 * February for the 28th, and 24:00 for the next day. STRICT wants `u` where a format has `y`.
 */
public class Oracle {
    static final String[] FORMATS = {
        "yyyy-MM-dd", "dd/MM/yyyy", "MM/dd/yyyy", "dd.MM.yyyy", "d.M.yyyy", "d/M/yy", "yyyyMMdd", "yyMMdd",
        "dd-MMM-yyyy", "d MMM yy", "d MMMM yyyy", "MMMM d, yyyy", "EEE, d MMM yyyy", "EEEE dd MMMM yyyy",
        "yyyy-DDD", "yyyyDDD", "yyyy-D", "uuuu-MM-dd", "uuuu/M/d", "y-M-d", "yyy-MM-dd", "yyyyy-MM-dd",
        "yyyy.MM.dd", "yyyy'y'MM'm'dd'd'", "'on' dd''MM''yyyy", "LLL dd yyyy", "LLLL d yyyy", "L/d/yyyy",
        "HH:mm", "H:mm", "H:m", "HH:mm:ss", "HH:mm:ss.SSS", "HH:mm:ss,SSS", "HH:mm:ss.S", "HH:mm:ss.SSSSSS",
        "HH:mm:ss.SSSSSSSSS", "HHmm", "HHmmss", "Hmm", "HH", "H", "hh:mm a", "h:mm a", "h:mma", "hh:mm:ss a",
        "KK:mm a", "K:m a", "kk:mm", "k:mm", "HH:mm[:ss]", "HH:mm[:ss[.SSS]]", "H[:mm]", "HH:mm a",
        "yyyy-MM-dd HH:mm", "yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ss", "dd/MM/yyyy HH:mm:ss",
        "yyyy-MM-dd'T'HH:mm:ss.SSS", "yyyy-MM-dd'T'HH:mm:ss.SSSSSS", "yyyyMMddHHmmss", "yyyyMMddHHmmssSSS",
        "yyyy-MM-dd'T'HH:mm:ssX", "yyyy-MM-dd'T'HH:mm:ssXX", "yyyy-MM-dd'T'HH:mm:ssXXX",
        "yyyy-MM-dd'T'HH:mm:ssXXXX", "yyyy-MM-dd'T'HH:mm:ssXXXXX", "yyyy-MM-dd'T'HH:mm:ssx",
        "yyyy-MM-dd'T'HH:mm:ssxx", "yyyy-MM-dd'T'HH:mm:ssxxx", "yyyy-MM-dd'T'HH:mm:ssxxxx",
        "yyyy-MM-dd'T'HH:mm:ssxxxxx", "yyyy-MM-dd HH:mm:ss Z", "yyyy-MM-dd HH:mm:ssZZZ",
        "yyyy-MM-dd HH:mm:ss ZZZZ", "yyyy-MM-dd HH:mm:ssZZZZZ", "yyyy-MM-dd HH:mm O", "yyyy-MM-dd HH:mm OOOO",
        "yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "yyyy-MM-dd'T'HH:mm[:ss][XXX]", "yyyy-MM-dd[ HH:mm]",
        "[yyyy-MM-dd][dd/MM/yyyy]", "[dd.MM.yyyy][d MMM yyyy] HH:mm", "yyyy-MM-dd['T'HH:mm:ss[.SSS][X]]",
        "EEE MMM dd HH:mm:ss yyyy", "EEE, dd MMM yyyy HH:mm:ss Z", "M/d/yyyy h:mm:ss a", "yyyy-MM-dd'Z'",
        "yyyy-MM-dd HH:mm:ss[.SSSSSS][.SSS]", "d-MMM-yy hh.mm.ss.SSSSSS a", "uuuu-MM-dd'T'HH:mm:ss.SSSSSSSSSX",
    };
    static final String[] STRANGE = {
        "", " ", "x", "2026-02-31", "31.02.2026", "29/02/2025", "2024-02-29", "29/02/2024", "2026-366",
        "2024-366", "2024366", "2026-0", "0000-01-01", "1-1-1", "26-1-1", "01/02/26", "9:15", "24:00", "24:15",
        "23:59:60", "12:60", "00:15 PM", "12:00 AM", "13:00 PM", "13:00 AM", "12:30 am", "0:05 AM", "009:05",
        "01-JAN-2026", "01-jan-2026", "01-Sept-2026", "Thu, 1 Jan 2026", "Fri, 1 Jan 2026",
        "2026-01-01T09:00:00+0200", "2026-01-01T09:00:00+02", "2026-01-01T09:00:00+02:00",
        "2026-01-01T09:00:00Z", "2026-01-01T09:00:00z", "2026-01-01T09:00:00-00:00",
        "2026-01-01T09:00:00+18:00", "2026-01-01T09:00:00+18:01", "2026-01-01T09:00:00+19:00",
        "2026-01-01T09:00:00+02:60", "2026-01-01T09:00:00+021530", "2026-01-01T09:00:00+02:15:30",
        "2026-01-01 09:00 GMT+2", "2026-01-01 09:00 GMT+02", "2026-01-01 09:00 GMT+2:30", "2026-01-01 09:00 GMT",
        "2026-01-01 09:00 UTC", "2026-01-01 09:00 GMT+02:00", "2026-01-01 09:00:00 +02:00",
        "2026-01-01 09:00:00 GMT+02:00", "2026-01-01T09:00:00.12", "2026-01-01T09:00:00.1234",
        "2026-01-01T09:00:00", "2026-01-01 09:00:00", " 2026-01-01", "2026-01-01 ", "2026- 1-01", "\u0662026-01-01",
        "20260101", "2026011", "260101", "930", "0930", "12026-01-01", "9:5", "09:5", "9:05", "01/01/2026",
    };
    static final char[] LETTERS = "0123456789-/.: TZ+aAPM".toCharArray();

    public static void main(String[] arguments) {
        Random random = new Random(20260101);
        for (String format : FORMATS) {
            DateTimeFormatter smart = DateTimeFormatter.ofPattern(format, Locale.US);
            DateTimeFormatter strict =
                DateTimeFormatter.ofPattern(unquotedYears(format), Locale.US).withResolverStyle(ResolverStyle.STRICT);
            Set<String> texts = new LinkedHashSet<>();
            for (int round = 0; round < 8; round++) {
                OffsetDateTime moment = moment(random, round);
                String good = DateTimeFormatter.ofPattern(oneOf(format, round), Locale.US).format(moment);
                texts.add(good);
                for (int change = 0; change < 3; change++) {
                    texts.add(changed(good, random));
                }
            }
            int strange = texts.size();
            for (String text : STRANGE) {
                texts.add(text);
            }
            int at = 0;
            for (String text : texts) {
                boolean isShown = at++ < strange || random.nextInt(8) == 0;
                if (!isShown && read(smart, strict, text).equals("-")) {
                    continue;
                }
                System.out.println(format + "\t" + text + "\t" + read(smart, strict, text));
            }
        }
    }

    static String unquotedYears(String format) {
        StringBuilder made = new StringBuilder();
        boolean quoted = false;
        for (char each : format.toCharArray()) {
            quoted ^= each == '\'';
            made.append(each == 'y' && !quoted ? 'u' : each);
        }
        return made.toString();
    }

    /** Of sections that stand for one another, such as `[A][B]C`, each comes alone: AC, then BC. */
    static String oneOf(String format, int round) {
        int second = format.indexOf("][");
        if (!format.startsWith("[") || second < 0) {
            return format;
        }
        int end = format.indexOf("]", second + 1);
        String chosen = round % 2 == 0 ? format.substring(1, second) : format.substring(second + 2, end);
        return chosen + format.substring(end + 1);
    }

    static OffsetDateTime moment(Random random, int round) {
        LocalDate day = LocalDate.of(2000 + random.nextInt(99), 1 + random.nextInt(12), 1 + random.nextInt(28));
        LocalTime time = LocalTime.of(random.nextInt(24), random.nextInt(60), random.nextInt(60), random.nextInt(1_000_000_000));
        int[] offsets = {0, 3600, -5 * 3600, 19800, -12600, 18 * 3600, 7200 + 15 * 60 + 30};
        return OffsetDateTime.of(LocalDateTime.of(day, time), ZoneOffset.ofTotalSeconds(offsets[round % offsets.length]));
    }

    static String changed(String text, Random random) {
        if (text.isEmpty()) {
            return text;
        }
        int at = random.nextInt(text.length());
        char letter = LETTERS[random.nextInt(LETTERS.length)];
        return switch (random.nextInt(4)) {
            case 0 -> text.substring(0, at) + text.substring(at + 1);
            case 1 -> text.substring(0, at) + letter + text.substring(at);
            case 2 -> text.substring(0, at) + letter + text.substring(at + 1);
            default -> text.replaceFirst("0(?=[0-9])", "");
        };
    }

    static String read(DateTimeFormatter smart, DateTimeFormatter strict, String text) {
        try {
            String one = told(smart.parse(text));
            return one.equals(told(strict.parse(text))) ? one : "-";
        } catch (RuntimeException unread) {
            return "-";
        }
    }

    static String told(TemporalAccessor found) {
        LocalDate day = found.query(TemporalQueries.localDate());
        LocalTime time = found.query(TemporalQueries.localTime());
        if (found.isSupported(ChronoField.OFFSET_SECONDS)) {
            ZoneOffset.ofTotalSeconds(found.get(ChronoField.OFFSET_SECONDS));
        }
        String offset = found.isSupported(ChronoField.OFFSET_SECONDS) ? " " + found.get(ChronoField.OFFSET_SECONDS) : "";
        return (day == null ? "" : day.toString()) + "T" + (time == null ? "" : "" + time.toNanoOfDay()) + offset;
    }
}
